//! Lines of a config that somebody has to look at.

use std::fmt::Write as _;

/// What is said beside a line that was guessed.
pub(super) fn guess(why: &str) -> String {
    format!("   # guess: {why}")
}

/// A line that somebody has to fill in, with some cells of the columns that it may be about.
pub(super) fn question(text: &mut String, line: &str, why: &str) {
    let _ = writeln!(text, "# {line}   # question: {why}");
}
