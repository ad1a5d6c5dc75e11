//! The real lead sets where they are there.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::workspace::root;

/// The real sets where `LEADSCORE_REAL_DATA` is set: their ready configs beside the files, and
/// where time is cut.
pub(crate) fn real_sets(folder: &Path) -> anyhow::Result<Option<String>> {
    let Some(data) = std::env::var_os("LEADSCORE_REAL_DATA").map(PathBuf::from) else {
        return Ok(None);
    };
    let sets = [
        ("olist", "olist-marketing-funnel", "90|2018-05-01"),
        ("bpi2012", "bpi2012-w-events/prepared", "23|2012-01-22"),
        ("x-education", "x-education", "none|641584"),
    ];
    let mut named = Vec::new();
    for (name, source, cut) in sets {
        let target = folder.join(format!("real-{name}"));
        std::fs::create_dir_all(&target).context("cannot make a folder for real data")?;
        std::fs::copy(
            root().join("data").join(name).join("leadscore.toml"),
            target.join("leadscore.toml"),
        )
        .context("the ready config is there")?;
        for entry in std::fs::read_dir(data.join(source))
            .with_context(|| format!("no {source} in LEADSCORE_REAL_DATA"))?
        {
            let path = entry.context("cannot list real data")?.path();
            if path.extension().is_some_and(|extension| extension == "csv") {
                std::fs::copy(
                    &path,
                    target.join(path.file_name().context("a file has a name")?),
                )
                .context("room for real data")?;
            }
        }
        named.push(format!("{name}={}|{cut}", target.display()));
    }
    Ok(Some(named.join(",")))
}
