//! How long files and functions are.

use std::fmt::{self, Display, Formatter};

use super::source::Source;

/// A function that is longer does not fit on a screen.
const LONG_FUNCTION: usize = 80;
/// A file that is longer has more than one idea.
const LONG_FILE: usize = 600;

/// Lengths, and what has them.
#[derive(Default)]
pub(super) struct Measure {
    files: Vec<(usize, String)>,
    functions: Vec<(usize, String)>,
}

impl Measure {
    pub(super) fn add(&mut self, name: &str, sources: &[Source]) {
        for source in sources {
            let file = format!("{name}/src/{}", source.name);
            self.functions
                .extend(source.functions.iter().map(|function| {
                    let place = format!("{file}:{} {}", function.line, function.name);
                    (function.n_lines, place)
                }));
            self.files.push((source.n_lines, file));
        }
    }
}

impl Display for Measure {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        show(out, "file", &self.files, LONG_FILE)?;
        show(out, "function", &self.functions, LONG_FUNCTION)
    }
}

fn show(
    out: &mut Formatter<'_>,
    what: &str,
    lengths: &[(usize, String)],
    limit: usize,
) -> fmt::Result {
    let mut lengths = lengths.to_vec();
    lengths.sort();
    let Some((longest, place)) = lengths.last() else {
        return Ok(());
    };
    let n_lines: usize = lengths.iter().map(|(length, _)| length).sum();
    let at = |part: usize| lengths[(lengths.len() * part / 100).min(lengths.len() - 1)].0;
    let long: Vec<_> = lengths
        .iter()
        .rev()
        .take_while(|(length, _)| *length > limit)
        .collect();
    for (length, place) in &long {
        writeln!(out, "  {length} lines: {place}")?;
    }
    writeln!(
        out,
        "{what}s: {}, {n_lines} lines, median {}, 90 % {}, longest {longest} ({place}), above {limit} lines: {}",
        lengths.len(),
        at(50),
        at(90),
        long.len()
    )
}
