//! The book of `docs`.

use std::process::Command;

use crate::process::succeed;
use crate::workspace::{cargo, root, target};

/// What makes a book of the pages in `docs`.
const MDBOOK: &str = "mdbook@0.5.4";

/// The pages as a book in `target/book`; a page that is not there or a file that cannot be read
/// fails.
pub(crate) fn run() -> anyhow::Result<()> {
    let tools = target().join("tools");
    let program = tools.join("bin/mdbook");
    if !program.exists() {
        let mut install = cargo(&[
            "install",
            "--quiet",
            "--locked",
            "--no-default-features",
            "--features",
            "search",
            MDBOOK,
            "--root",
        ]);
        // Elsewhere than what the workspace is built from.
        install.arg(&tools).env_remove("CARGO_TARGET_DIR");
        succeed(install)?;
    }
    let mut build = Command::new(program);
    build.args(["build", "docs"]).current_dir(root());
    succeed(build)
}
