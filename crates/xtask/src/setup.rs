//! What the build and the tests need of the system; the one place that installs anything there.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{is_there, say};

/// A package of Debian.
struct Need {
    package: &'static str,
    /// What goes without it.
    purpose: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: [Need; 7] = [
    Need {
        package: "protobuf-compiler",
        purpose: "compiles the messages of Spark Connect; without it nothing but the command is built",
        is_there: || is_there("protoc"),
    },
    Need {
        package: "python3-venv",
        purpose: "Python tests",
        is_there: || {
            is_there("uv")
                || Command::new("python3")
                    .args(["-c", "import ensurepip, venv"])
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success())
        },
    },
    Need {
        package: "chromium",
        purpose: "tests of the report in a browser, skipped without it",
        is_there: || is_there("chromium"),
    },
    Need {
        package: "nodejs",
        purpose: "tests of what receivers of webhooks run",
        is_there: || is_there("node"),
    },
    Need {
        package: "postgresql",
        purpose: "tests of exports and databases on PostgreSQL, skipped without it",
        is_there: || Path::new("/usr/lib/postgresql").is_dir(),
    },
    Need {
        package: "systemd",
        purpose: "checks of the units for systemd, skipped without it",
        is_there: || is_there("systemd-analyze"),
    },
    Need {
        package: "buildah",
        purpose: "the test of the container's image, skipped without it",
        is_there: || is_there("buildah"),
    },
];

/// Says what is missing, and installs it where that is possible: by apt-get, as root. Elsewhere,
/// and where that fails, the tests say what they skip.
pub(crate) fn run() {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return;
    }
    let names: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let can_install = is_there("apt-get") && is_root();
    say(if can_install {
        "cargo xtask setup installs with apt-get:"
    } else {
        "missing, and not installed, since that needs apt-get and root:"
    });
    for need in &missing {
        say(&format!("  {} ({})", need.package, need.purpose));
    }
    if can_install && !(apt_get(&["update"], &[]) && apt_get(&["install", "-y"], &names)) {
        say("apt-get failed; the tests say what they skip");
    }
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|user| user.stdout.trim_ascii() == b"0")
}

fn apt_get(args: &[&str], packages: &[&str]) -> bool {
    Command::new("apt-get")
        .arg("-q")
        .args(args)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
