//! The log of answers: every score that was given away, as lines of files in a folder, so that
//! `replay` can compute each again.

mod answer;
mod segments;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use self::answer::{Answer, AnswerError};
pub(crate) use self::answer::{bits, percent};
use self::segments::Segments;
pub use self::segments::{LogError, for_each_line, segments_of};

/// How the log of answers is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The folder; it is made where it is not there.
    pub folder: PathBuf,
    /// Answers that may wait to be written; further ones are lost and counted. Default: 65,536.
    pub most_waiting: usize,
    /// Size in bytes from which on a new file begins; default: 64 MB.
    pub file_bytes: u64,
    /// Time after which what waits is written; default: a second.
    pub every: Duration,
}

impl LogOptions {
    /// The defaults, for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            most_waiting: 65_536,
            file_bytes: 64_000_000,
            every: Duration::from_secs(1),
        }
    }
}

/// How the log does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogState {
    /// Answers that are in a file.
    pub n_written: u64,
    /// Answers that are in none, because too many waited or the disk refused them.
    pub n_lost: u64,
    /// Why the last write failed; `None` where it did not.
    pub error: Option<String>,
}

/// Writes answers from a thread of its own; it never makes an answer wait.
pub struct AnswerLog {
    sender: SyncSender<Message>,
    counts: Arc<Counts>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Counts {
    n_written: AtomicU64,
    n_lost: AtomicU64,
    error: Mutex<Option<String>>,
}

enum Message {
    Answer(Box<Answer>),
    Flush(SyncSender<()>),
    Forget(String, SyncSender<Result<usize, LogError>>),
    Stop,
}

impl AnswerLog {
    /// Begins a log; what other runs wrote into the folder stays.
    ///
    /// # Errors
    ///
    /// [`LogError`] where the folder cannot be made, or no file can be written in it.
    pub fn open(options: LogOptions) -> Result<Self, LogError> {
        let segments = Segments::open(&options)?;
        let (sender, receiver) = sync_channel(options.most_waiting.max(1));
        let counts = Arc::new(Counts::default());
        let kept = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("answers-log".to_owned())
            .spawn(move || work(&receiver, segments, options.every, &kept))
            .map_err(|source| LogError::Io {
                path: options.folder,
                source,
            })?;
        Ok(Self {
            sender,
            counts,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Writes an answer soon; where too many wait, it is counted and lost.
    pub fn write(&self, answer: Answer) {
        match self.sender.try_send(Message::Answer(Box::new(answer))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.n_lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits until every answer before is in a file, or lost.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // An error says that the thread has ended, which flushes.
            let _ = wait.recv();
        }
    }

    /// Removes every answer of a lead from all files of the folder; returns how many there were.
    ///
    /// # Errors
    ///
    /// [`LogError`] where a file cannot be read or replaced.
    pub fn forget(&self, lead: &str) -> Result<usize, LogError> {
        let (done, wait) = sync_channel(1);
        let message = Message::Forget(lead.to_owned(), done);
        if self.sender.send(message).is_err() {
            return Err(LogError::Stopped);
        }
        wait.recv().unwrap_or(Err(LogError::Stopped))
    }

    /// How it does.
    pub fn state(&self) -> LogState {
        let error = self.counts.error.lock();
        LogState {
            n_written: self.counts.n_written.load(Ordering::Relaxed),
            n_lost: self.counts.n_lost.load(Ordering::Relaxed),
            error: error.unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Drop for AnswerLog {
    fn drop(&mut self) {
        // An error says that the thread has ended already.
        let _ = self.sender.send(Message::Stop);
        let thread = self.thread.get_mut();
        if let Some(thread) = thread.unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

/// Writes what comes until the end.
fn work(receiver: &Receiver<Message>, mut segments: Segments, every: Duration, counts: &Counts) {
    let mut next = Instant::now() + every;
    loop {
        let message = receiver.recv_timeout(next.saturating_duration_since(Instant::now()));
        match message {
            Ok(Message::Answer(answer)) => {
                segments.push(&answer);
                if segments.is_full() {
                    told(&mut segments, counts);
                }
            }
            Ok(Message::Flush(done)) => {
                told(&mut segments, counts);
                // Who asked may have gone.
                let _ = done.send(());
            }
            Ok(Message::Forget(lead, done)) => {
                told(&mut segments, counts);
                let _ = done.send(segments.forget(&lead));
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                told(&mut segments, counts);
                segments.end(counts);
                return;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if Instant::now() >= next {
            told(&mut segments, counts);
            next = Instant::now() + every;
        }
    }
}

/// Writes what waits, and counts what came of it.
fn told(segments: &mut Segments, counts: &Counts) {
    let written = segments.flush();
    counts
        .n_written
        .fetch_add(written.n_written, Ordering::Relaxed);
    counts.n_lost.fetch_add(written.n_lost, Ordering::Relaxed);
    let mut error = counts.error.lock().unwrap_or_else(PoisonError::into_inner);
    *error = written.error;
}

#[cfg(test)]
mod tests;
