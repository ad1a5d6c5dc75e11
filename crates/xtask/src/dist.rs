//! The static binary, and what an image is made of.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::process::succeed;
use crate::workspace::{cargo, root, target};

/// The command as one file that needs nothing of the system, and what an image is made of, in
/// `target/dist`.
pub(crate) fn run() -> anyhow::Result<()> {
    const TRIPLE: &str = "x86_64-unknown-linux-musl";
    let built = target().join("static");
    let mut build = cargo(&[
        "build",
        "--release",
        "--bin",
        "leadscore",
        "--target",
        TRIPLE,
        "--target-dir",
    ]);
    build.arg(&built);
    succeed(build).context("a static binary needs `rustup target add x86_64-unknown-linux-musl` and musl-gcc (Debian: musl-tools)")?;
    let folder = root().join("target/dist");
    std::fs::create_dir_all(&folder).context("cannot make target/dist")?;
    let take = |from: &Path, name: &str| {
        std::fs::copy(from, folder.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))
    };
    take(&built.join(TRIPLE).join("release/leadscore"), "leadscore")?;
    let mut strip = Command::new("strip");
    strip.arg(folder.join("leadscore"));
    succeed(strip)?;
    take(&root().join("Containerfile"), "Containerfile")?;
    // For object stores: an image of nothing trusts nobody.
    take(
        Path::new("/etc/ssl/certs/ca-certificates.crt"),
        "ca-certificates.crt",
    )
    .context("certificates come from Debian's ca-certificates")?;
    Ok(())
}
