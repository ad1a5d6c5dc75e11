//! The map of the code: which crate depends on which, which file imports from which, where imports
//! form a circle, and how long files and functions are.

mod crates;
mod imports;
mod measure;
mod source;

use anyhow::ensure;

use crate::process::print;
use crate::workspace::root;

use self::crates::Crate;
use self::imports::Imports;
use self::measure::Measure;
use self::source::Source;

/// Prints the map; with `check`, a circle between the files of a crate is an error, and a crate that
/// must be built without Polars and depends on it.
pub(crate) fn run(check: bool, files: bool) -> anyhow::Result<()> {
    let mut found = crates::all(&root().join("crates"))?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    print("Crates and what they depend on:");
    for one in &found {
        let knows = if one.knows.is_empty() {
            "nothing of the workspace".to_owned()
        } else {
            one.knows.join(", ")
        };
        print(&format!("  {} -> {knows}", one.name));
    }
    let mut measure = Measure::default();
    let mut n_circles = 0;
    for one in &found {
        let sources = read(one)?;
        measure.add(&one.name, &sources);
        let imports = Imports::of(&sources);
        let circles = imports.circles();
        n_circles += circles.len();
        print(&format!(
            "\n{}: files {}, imports between them {}, circles {}",
            one.name,
            sources.len(),
            imports.n_imports(),
            circles.len()
        ));
        if files {
            for (from, to) in imports.by_file() {
                print(&format!("  {from} -> {}", to.join(", ")));
            }
        }
        for circle in &circles {
            print(&format!("  circle of {} files:", circle.len()));
            for (from, to) in circle {
                print(&format!("    {from} -> {}", to.join(", ")));
            }
        }
    }
    print(&format!("\n{measure}"));
    print(&format!("circles: {n_circles}"));
    let faults = crates::polars_faults(&found);
    ensure!(!check || faults.is_empty(), "{}", faults.join("; "));
    ensure!(
        !check || n_circles == 0,
        "imports between the files of a crate form circles: {n_circles}"
    );
    Ok(())
}

/// All files of a crate's library, or of its program where it has none.
fn read(one: &Crate) -> anyhow::Result<Vec<Source>> {
    let source = one.folder.join("src");
    let library = source.join("lib.rs");
    source::read_tree(&if library.exists() {
        library
    } else {
        source.join("main.rs")
    })
}
