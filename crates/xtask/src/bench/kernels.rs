//! Kernels of the crates, each alone: the benches of `crates/*/benches`.

use crate::process::succeed;
use crate::workspace::cargo;

/// Runs those whose name has this text in it.
pub(crate) fn run(filter: Option<&str>, seconds: f64) -> anyhow::Result<()> {
    // As everything is built, so that nothing is compiled twice; the benches and nothing else, since
    // the libraries' own tests take none of these options.
    let as_built = ["--profile", "release", "--workspace", "--all-features"];
    let mut benches = cargo(&["bench"]);
    benches
        .args(as_built)
        .args(["--bench", "*", "--", "--max-time", &seconds.to_string()])
        .args(filter);
    succeed(benches)
}
