//! Who changes a registry: the user, the machine, what was typed, and the clock.

use std::sync::OnceLock;
use std::time::Instant;

use leadscore::Timestamp;
use leadscore::front_end::now;
use leadscore_operate::By;

/// Whoever runs this process, by the command that was typed.
pub(crate) fn typed() -> By {
    let words: Vec<String> = std::env::args_os()
        .enumerate()
        .map(|(position, word)| {
            if position == 0 {
                // Where the program is says nothing about what was asked of it.
                "leadscore".to_owned()
            } else {
                quoted(&word.to_string_lossy())
            }
        })
        .collect();
    by(words.join(" "))
}

/// Whoever runs this process, by a command of this name.
pub fn by(command: String) -> By {
    // More than a person reads helps nobody: the order of events is their number.
    let seconds = now().micros().div_euclid(1_000_000);
    By {
        at: Timestamp::from_micros(seconds * 1_000_000),
        user: user(),
        host: host(),
        command,
    }
}

/// Seconds since the first call, for how long stages of a run take.
pub fn seconds() -> f64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./@=:,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('"', "\\\""))
    }
}

/// The name of the user by the system, which a variable cannot change.
#[cfg(unix)]
fn user() -> String {
    let uid = nix::unistd::Uid::current();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        // Containers often run as a number that has no name.
        Ok(None) | Err(_) => format!("user {uid}"),
    }
}

#[cfg(not(unix))]
fn user() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(unix)]
fn host() -> String {
    nix::unistd::gethostname().map_or_else(
        |_| "unknown".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_owned())
}
