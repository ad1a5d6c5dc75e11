//! What a person sees on the terminal: errors with their place, notes, stages of work, tables.

use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use leadscore::front_end::{printable, printable_json, printable_lines, shown};
use leadscore::{
    Config, Data, ErrorKind, Inputs, Listener, OpenTables, Outputs, Progress, error_text,
};

use crate::args::ConfigArg;

pub(crate) use leadscore::front_end::counted;

/// The best leads that the terminal shows.
pub(crate) const N_FIRST: usize = 10;

/// Opens a config; what its work has to say goes to the terminal.
pub(crate) fn open(config: &ConfigArg) -> anyhow::Result<Data> {
    open_tables(config, OpenTables::All)
}

/// The same of some tables.
pub(crate) fn open_tables(config: &ConfigArg, tables: OpenTables) -> anyhow::Result<Data> {
    let inputs = Inputs {
        listener: terminal(),
        tables,
        ..Inputs::default()
    };
    Ok(Data::open(&Config::read(&config.config)?, inputs)?)
}

/// Whoever sits at the terminal.
pub(crate) fn terminal() -> Arc<dyn Listener> {
    Arc::new(Terminal)
}

/// Prints an error with its causes; one in the config with the line and a caret.
pub(crate) fn error(error: &anyhow::Error) {
    match error.downcast_ref::<leadscore::Error>() {
        // The line of a config says more than what was tried.
        Some(own) if own.kind() == ErrorKind::Config => failure(own),
        _ => failure(error.as_ref()),
    }
}

/// The same of an error of the library.
pub(crate) fn failure(error: &(dyn std::error::Error + 'static)) {
    say(&error_text(error, std::io::stderr().is_terminal()));
}

/// A line to stderr; where nobody can hear it (closed, full), the work goes on.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints what is wrong with the arguments.
pub(crate) fn wrong_arguments(text: &str) {
    say(shown(text).trim_end_matches('\n'));
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

/// Prints a line to stderr: what a person should know while results go elsewhere; line ends within
/// it, which are of values, and characters that act are escaped.
pub(crate) fn remark(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        say(&printable(&shown(text)));
    }
}

/// What became of the results that went to stdout: 0, or the number of the system's error.
static STDOUT: AtomicI32 = AtomicI32::new(0);

/// Prints a result for people to stdout; characters that act are escaped.
pub(crate) fn result(text: &str) {
    print(&printable_lines(text));
}

/// Prints a result for programs to stdout, which is JSON: values are exact, and characters that act
/// are escaped as JSON does it.
pub(crate) fn json(text: &str) {
    print(&printable_json(text));
}

/// Prints what `--help` or `--version` asks for.
pub(crate) fn usage(usage: &clap::Error) {
    remember(usage.print());
}

fn print(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        remember(writeln!(std::io::stdout(), "{text}"));
    }
}

/// Remembers that stdout cannot be written, for [`check_results`]. A reader that has seen enough,
/// such as `head`, is no failure.
fn remember(written: std::io::Result<()>) {
    if let Err(error) = written.and_then(|()| std::io::stdout().flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        STDOUT.store(error.raw_os_error().unwrap_or(-1), Ordering::Relaxed);
    }
}

/// Fails where a result could not be printed.
pub(crate) fn check_results() -> anyhow::Result<()> {
    match STDOUT.load(Ordering::Relaxed) {
        0 => Ok(()),
        number => Err(
            anyhow::Error::from(std::io::Error::from_raw_os_error(number))
                .context("cannot write the result to stdout"),
        ),
    }
}

/// Gives the files of a run their names, and says so.
pub(crate) fn publish(outputs: Outputs) -> anyhow::Result<()> {
    for path in outputs.publish()? {
        remark(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Whether Ctrl-C is heard by the work, which then tells an engine to stop, or ends a server.
#[cfg(any(unix, feature = "serve", feature = "spark"))]
static WORK_STOPS: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C is heard by the work.
#[cfg(any(feature = "serve", feature = "spark"))]
pub(crate) fn let_work_stop() {
    WORK_STOPS.store(true, Ordering::Relaxed);
}

/// Whether a Ctrl-C is left to the work: the first one, where the work listens.
#[cfg(unix)]
pub(crate) fn is_left_to_the_work() -> bool {
    WORK_STOPS.load(Ordering::Relaxed) && !INTERRUPTED.swap(true, Ordering::Relaxed)
}

/// Whether the work was asked to stop.
#[cfg(feature = "serve")]
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Remarks go to stderr, stages are spinners or bars.
struct Terminal;

impl Listener for Terminal {
    fn remark(&self, text: &str) {
        remark(text);
    }

    fn is_interrupted(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }

    fn begin(&self, what: &str) -> Box<dyn Progress> {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(printable(&shown(what)).into_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Box::new(Bar {
            bar,
            is_counting: AtomicBool::new(false),
        })
    }
}

/// A stage of work: a spinner on a terminal, a bar once steps are counted, nothing elsewhere; gone
/// when dropped.
struct Bar {
    bar: ProgressBar,
    is_counting: AtomicBool,
}

impl Progress for Bar {
    fn at(&self, done: usize, total: usize) {
        if !self.is_counting.swap(true, Ordering::Relaxed)
            && let Ok(style) = ProgressStyle::with_template(
                "{msg} {wide_bar} {human_pos} of {human_len}, {eta} left",
            )
        {
            self.bar.set_style(style);
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
