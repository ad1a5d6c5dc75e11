//! One call of the library: in the process that it began in, without Python's lock, and where it is
//! long on a thread of its own, so that Python goes on, hears how it goes, and may stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use leadscore::front_end::{printable, shown};
use leadscore::{Listener, Progress};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::arguments::{Call, in_python};
use crate::errors::{exception, exception_of};

/// How often Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// The process that first used the library; 0 where none has.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Refuses a process that was forked from one that had used the library: threads do not survive a
/// fork, and whoever waits for them waits forever.
pub(crate) fn same_process() -> PyResult<()> {
    let own = std::process::id();
    match OWNER.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed) {
        Err(owner) if owner != own => Err(PyRuntimeError::new_err(
            "this process was forked from one that had used leadscore, whose threads it does not have: start it another way, such as multiprocessing.get_context(\"spawn\")",
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A short call of the library, without Python's lock.
pub(crate) fn compute<T: Send, E: Into<leadscore::Error> + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> PyResult<T> {
    same_process()?;
    py.detach(work)
        .map_err(|error| exception(py, &error.into()))
}

/// What the work has to say.
enum Event {
    Remark(String),
    Begin(usize, String),
    At(usize, usize, usize),
    End(usize),
}

/// Passes on what it hears to the thread that waits.
struct Messenger {
    events: Sender<Event>,
    n_stages: AtomicUsize,
    is_interrupted: Arc<AtomicBool>,
    call: Call,
}

impl Messenger {
    /// A text of the library as Python shows it, on one line.
    fn words(&self, text: &str) -> String {
        printable(&in_python(&shown(text), self.call)).into_owned()
    }
}

struct Stage {
    number: usize,
    events: Sender<Event>,
}

impl Listener for Messenger {
    fn remark(&self, text: &str) {
        // Nobody listens any longer: then nobody need be told.
        let _ = self.events.send(Event::Remark(self.words(text)));
    }

    fn begin(&self, what: &str) -> Box<dyn Progress> {
        let number = self.n_stages.fetch_add(1, Ordering::Relaxed);
        let _ = self.events.send(Event::Begin(number, self.words(what)));
        Box::new(Stage {
            number,
            events: self.events.clone(),
        })
    }

    fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }
}

impl Progress for Stage {
    fn at(&self, done: usize, total: usize) {
        let _ = self.events.send(Event::At(self.number, done, total));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.events.send(Event::End(self.number));
    }
}

/// Runs `work` without holding Python's lock, and passes what it says to `listener`, a Python
/// object with the methods `remark`, `begin`, `at`, `end` and `tick`. Ctrl-C returns at once; the
/// work itself ends with the stage that it is in.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    listener: &Bound<'_, PyAny>,
    work: impl FnOnce(Arc<dyn Listener>) -> leadscore::Result<T> + Send + 'static,
) -> PyResult<T> {
    run_as(py, Call::Any, listener, work)
}

/// The same for a call with arguments of its own.
pub(crate) fn run_as<T: Send + 'static>(
    py: Python<'_>,
    call: Call,
    listener: &Bound<'_, PyAny>,
    work: impl FnOnce(Arc<dyn Listener>) -> leadscore::Result<T> + Send + 'static,
) -> PyResult<T> {
    same_process()?;
    let (events, mut heard) = mpsc::channel();
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let messenger: Arc<dyn Listener> = Arc::new(Messenger {
        events,
        n_stages: AtomicUsize::new(0),
        is_interrupted: Arc::clone(&is_interrupted),
        call,
    });
    let worker = std::thread::Builder::new()
        .name("leadscore".to_owned())
        .spawn(move || work(messenger))?;
    loop {
        let is_finished = worker.is_finished();
        // A receiver goes to the waiting closure and comes back: it cannot be shared.
        let (event, back) = py.detach(move || (heard.recv_timeout(PATIENCE), heard));
        heard = back;
        let told = match event {
            Ok(Event::Remark(text)) => listener.call_method1("remark", (text,)).map(drop),
            Ok(Event::Begin(stage, what)) => {
                listener.call_method1("begin", (stage, what)).map(drop)
            }
            Ok(Event::At(stage, done, total)) => {
                listener.call_method1("at", (stage, done, total)).map(drop)
            }
            Ok(Event::End(stage)) => listener.call_method1("end", (stage,)).map(drop),
            // What the work returns may hold on to the messenger.
            Err(RecvTimeoutError::Timeout) if is_finished => break,
            Err(RecvTimeoutError::Timeout) => listener.call_method0("tick").map(drop),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Err(error) = told.and_then(|()| py.check_signals()) {
            is_interrupted.store(true, Ordering::Relaxed);
            return Err(error);
        }
    }
    match py.detach(|| worker.join()) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception_of(py, &error, call)),
        Err(_) => Err(PyRuntimeError::new_err(
            "leadscore failed in a way that it should not: the reason is on stderr\n  hint: please report it",
        )),
    }
}
