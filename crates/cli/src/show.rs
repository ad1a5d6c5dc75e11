//! What a person sees on the terminal: errors with their place, notes, stages of work, tables.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use indicatif::{ProgressBar, ProgressStyle};
pub(crate) use leadscore_report::count;
use leadscore_tables::{ConfigError, Note};

/// A config that cannot be read, with the text that it stands in.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub(crate) struct ConfigFailure {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) error: ConfigError,
}

/// Prints an error with its causes; one in the config with the line and a caret.
#[expect(clippy::print_stderr, reason = "the one place that prints errors")]
pub(crate) fn error(error: &anyhow::Error) {
    if let Some(failure) = error.downcast_ref::<ConfigFailure>() {
        eprintln!("{}", render_config_failure(failure));
        return;
    }
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!("\n  because: {cause}"));
        source = cause.source();
    }
    eprintln!("{text}");
}

fn render_config_failure(failure: &ConfigFailure) -> String {
    let path = failure.path.display().to_string();
    let mut report = Level::ERROR.primary_title(&failure.error.message).element(match &failure.error.span {
        Some(span) => {
            let label = failure.error.help.as_deref().unwrap_or("here");
            Snippet::source(&failure.text).path(&path).annotation(AnnotationKind::Primary.span(span.clone()).label(label))
        }
        None => Snippet::source("").path(&path),
    });
    if let (None, Some(help)) = (&failure.error.span, &failure.error.help) {
        report = report.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
    if failure.error.span.is_none() {
        return format!("error: {path}: {}{}", failure.error.message, failure.error.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default());
    }
    renderer.render(&[report]).to_string()
}

/// Whether commands that are part of another one keep their remarks and results to themselves.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Runs a command whose remarks and results are not for the reader.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    QUIET.store(true, Ordering::Relaxed);
    let outcome = run();
    QUIET.store(false, Ordering::Relaxed);
    outcome
}

/// Prints a line to stderr: what a person should know while results go elsewhere.
#[expect(clippy::print_stderr, reason = "the one place that prints remarks")]
pub(crate) fn remark(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        eprintln!("{text}");
    }
}

/// Prints a result to stdout.
pub(crate) fn result(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        // A reader that has seen enough, such as `head`, closes the pipe: no reason to fail.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// Prints what is to be known about the data.
pub(crate) fn notes(notes: &[Note]) {
    for note in notes {
        remark(&format!("note: {note}"));
    }
}

/// A stage of work: a spinner on a terminal, nothing elsewhere; gone when dropped.
pub(crate) struct Stage(ProgressBar);

impl Stage {
    pub(crate) fn start(text: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A plain table for the terminal, numbers to the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for (idx, column) in table.column_iter_mut().enumerate() {
        let numeric = rows.iter().all(|row| row.get(idx).is_none_or(|cell| cell.chars().next().is_none_or(|c| c.is_ascii_digit() || c == '-' || c == '+')));
        if numeric && !rows.is_empty() {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
