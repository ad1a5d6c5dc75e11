//! An import that a disk has no room for ends with an error and without a store. A limit of the size
//! of files is where the room ends.

#![cfg(unix)]

mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use leadscore_store::Store;
use world::World;

const N_EVENTS: usize = 60_000;

/// The example `crash`, which is built beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps");
    folder.join("examples").join("crash")
}

/// An import where no file may have more than so many blocks of 512 bytes.
fn import(path: &Path, limit: &str) -> Output {
    Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f $1; exec \"$2\" import \"$3\" $4",
            "sh",
            limit,
        ])
        .arg(program())
        .arg(path)
        .arg(N_EVENTS.to_string())
        .output()
        .expect("run")
}

#[test]
fn an_import_without_room_leaves_no_store() {
    let world = World::on_file();
    let folder = world.path().parent().expect("a folder").to_path_buf();
    let whole = folder.join("whole.store");
    let output = import(&whole, "unlimited");
    assert!(output.status.success(), "{output:?}");
    let n_blocks = std::fs::metadata(&whole).expect("a file").len() / 512;
    let mut n_refused = 0;
    let parts = (1..=6).map(|part| n_blocks * part / 6);
    // The last few blocks are those that only the end of an import writes.
    let ends = [8, 64, 512, 2_048].map(|n| n_blocks.saturating_sub(n));
    for limit in parts.chain(ends).chain([n_blocks * 4]) {
        let path = folder.join(format!("{limit}.store"));
        let output = import(&path, &limit.to_string());
        assert_eq!(
            output.status.success(),
            path.exists(),
            "{limit}: {output:?}"
        );
        if !path.exists() {
            n_refused += 1;
            continue;
        }
        let store = Store::open_read(&path).expect("opened");
        assert_eq!(
            store.check().expect("checked"),
            Vec::<String>::new(),
            "{limit}"
        );
        assert_eq!(store.n_events(), N_EVENTS as u64, "{limit}");
    }
    assert!(n_refused > 6, "only {n_refused} imports were refused");
}
