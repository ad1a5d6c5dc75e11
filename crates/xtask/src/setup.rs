//! What tests need of the system.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::is_there;

/// What tests look for and Debian has: a browser, and a PostgreSQL server. Tests say that they skip
/// where one is not there.
pub(crate) fn run() {
    let missing = [
        ("chromium", is_there("chromium")),
        ("postgresql", Path::new("/usr/lib/postgresql").is_dir()),
        // Not for a test: the messages of Spark Connect are compiled with it.
        ("protobuf-compiler", is_there("protoc")),
    ];
    let missing: Vec<&str> = missing
        .into_iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(package, _)| package)
        .collect();
    if missing.is_empty() || !is_there("apt-get") {
        return;
    }
    for args in [&["update", "-q"][..], &["install", "-y", "-q"]] {
        let packages = if args[0] == "install" {
            missing.as_slice()
        } else {
            &[]
        };
        let installed = Command::new("apt-get")
            .args(args)
            .args(packages)
            .stdout(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            return;
        }
    }
}
