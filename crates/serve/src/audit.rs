//! Who asked what, and when: lines of JSON that are only ever appended, except that a lead that is
//! forgotten loses its ID.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use leadscore_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::views::iso;

/// Lines that may wait for the disk; then requests wait for lines.
const LINES_WAITING: usize = 8_192;

/// How long requests that only append events are put together into one line for each caller.
const APPENDS_TOGETHER: Duration = Duration::from_secs(60);

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditLine {
    /// When it was answered.
    pub time: String,
    /// The name of the token, or `local`; `null` if nobody was recognized.
    pub caller: Option<String>,
    /// The method.
    pub method: String,
    /// The route, such as `/v1/leads/{id}`; never the address itself.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
    /// The ID of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The leads that were read or changed, by ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<String>,
    /// How many requests the line is about, if more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_requests: Option<u64>,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file of it.
    #[error("the audit log {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its writer has ended.
    #[error("the audit log is closed")]
    Closed,
}

/// The log. Lines are handed to a thread, which writes them in batches; a line that cannot be
/// written is tried again until it can, and meanwhile the server refuses what would need a line.
#[derive(Debug)]
pub struct Audit {
    sender: SyncSender<Message>,
    is_stuck: Arc<AtomicBool>,
}

enum Message {
    Line(AuditLine, Timestamp),
    Appended(AuditLine, Timestamp),
    Forget {
        lead: String,
        by: String,
        done: tokio::sync::oneshot::Sender<Result<usize, AuditError>>,
    },
    Flush(tokio::sync::oneshot::Sender<()>),
}

impl Audit {
    /// Opens `audit.ndjson` of a folder; a file that has more bytes than the limit gets a number,
    /// and the next one begins.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the file cannot be opened for appending.
    pub fn open(folder: &Path, limit: u64) -> Result<Self, AuditError> {
        let is_stuck = Arc::new(AtomicBool::new(false));
        let writer = Writer::open(folder, limit, Arc::clone(&is_stuck))?;
        let (sender, receiver) = sync_channel(LINES_WAITING);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|source| AuditError::File {
                path: folder.to_owned(),
                source,
            })?;
        Ok(Self { sender, is_stuck })
    }

    /// Whether lines wait since the disk does not take them.
    pub fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Acquire)
    }

    pub(crate) async fn line(&self, line: AuditLine, at: Timestamp) {
        self.send(Message::Line(line, at)).await;
    }

    /// A request that appended events and nothing else: such are counted, since the store itself
    /// has the events.
    pub(crate) async fn appended(&self, line: AuditLine, at: Timestamp) {
        self.send(Message::Appended(line, at)).await;
    }

    /// Replaces the ID of a lead in all files of the log; returns in how many lines it was.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if a file cannot be written again; the ID may still be in it.
    pub async fn forget(&self, lead: &str, by: String) -> Result<usize, AuditError> {
        let (done, reply) = tokio::sync::oneshot::channel();
        self.send(Message::Forget {
            lead: lead.to_owned(),
            by,
            done,
        })
        .await;
        reply.await.map_err(|_| AuditError::Closed)?
    }

    /// Waits until all lines so far are on disk, but not forever.
    pub async fn flush(&self) {
        let (done, reply) = tokio::sync::oneshot::channel();
        self.send(Message::Flush(done)).await;
        // Where the disk takes nothing, the server must end all the same.
        let _ = tokio::time::timeout(Duration::from_secs(2), reply).await;
    }

    async fn send(&self, mut message: Message) {
        loop {
            match self.sender.try_send(message) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(back)) => {
                    message = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
}

struct Writer {
    folder: PathBuf,
    limit: u64,
    file: File,
    length: u64,
    is_stuck: Arc<AtomicBool>,
    together: BTreeMap<(Option<String>, u16), (AuditLine, Timestamp)>,
}

impl Writer {
    fn open(folder: &Path, limit: u64, is_stuck: Arc<AtomicBool>) -> Result<Self, AuditError> {
        let (file, length) = open_file(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            limit,
            file,
            length,
            is_stuck,
            together: BTreeMap::new(),
        })
    }

    fn run(mut self, receiver: &Receiver<Message>) {
        loop {
            let mut text = String::new();
            let mut message = match receiver.recv_timeout(APPENDS_TOGETHER) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => {
                    self.count_appends(None, &mut text);
                    None
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.count_appends(None, &mut text);
                    self.write(&text);
                    return;
                }
            };
            while let Some(next) = message.take() {
                match next {
                    Message::Line(line, at) => {
                        self.count_appends(Some(at), &mut text);
                        push(&mut text, &line);
                    }
                    Message::Appended(line, at) => {
                        self.count(line, at);
                        self.count_appends(Some(at), &mut text);
                    }
                    Message::Forget { lead, by, done } => {
                        self.write(&std::mem::take(&mut text));
                        // Whoever asked may have gone; the work is done all the same.
                        let _ = done.send(self.forget(&lead, &by));
                    }
                    Message::Flush(done) => {
                        self.count_appends(None, &mut text);
                        self.write(&std::mem::take(&mut text));
                        let _ = self.file.sync_data();
                        let _ = done.send(());
                    }
                }
                if text.len() < 1 << 16 {
                    message = receiver.try_recv().ok();
                }
            }
            self.write(&text);
        }
    }

    fn count(&mut self, line: AuditLine, at: Timestamp) {
        let key = (line.caller.clone(), line.status);
        let (kept, _) = self.together.entry(key).or_insert_with(|| (line, at));
        kept.n_requests = Some(kept.n_requests.unwrap_or(0) + 1);
    }

    /// Writes lines of appends that are old enough; all of them if there is no moment.
    fn count_appends(&mut self, now: Option<Timestamp>, text: &mut String) {
        let age = i64::try_from(APPENDS_TOGETHER.as_micros()).unwrap_or(i64::MAX);
        self.together.retain(|_, (line, since)| {
            let is_due = now.is_none_or(|now| now.micros().saturating_sub(since.micros()) >= age);
            if is_due {
                push(text, line);
            }
            !is_due
        });
    }

    /// Writes whole lines; where the disk does not take them, again and again.
    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        while self.try_write(text).is_err() {
            self.is_stuck.store(true, Ordering::Release);
            std::thread::sleep(Duration::from_millis(500));
        }
        self.is_stuck.store(false, Ordering::Release);
    }

    fn try_write(&mut self, text: &str) -> Result<(), AuditError> {
        if self.length > 0 && self.length + text.len() as u64 > self.limit {
            self.rotate()?;
        }
        if let Err(source) = self.file.write_all(text.as_bytes()) {
            // Half a line would make the next one unreadable. A disk that takes no bytes may still
            // take this; if not, the next attempt begins in the middle, and says so by its form.
            let _ = self.file.set_len(self.length);
            return Err(AuditError::File {
                path: current(&self.folder),
                source,
            });
        }
        self.length += text.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), AuditError> {
        let path = current(&self.folder);
        let fail = |source| AuditError::File {
            path: path.clone(),
            source,
        };
        self.file.sync_data().map_err(fail)?;
        let next = (1_u64..)
            .map(|n| self.folder.join(format!("audit-{n:06}.ndjson")))
            .find(|name| !name.exists())
            .ok_or(AuditError::Closed)?;
        fs::rename(&path, next).map_err(fail)?;
        (self.file, self.length) = open_file(&self.folder)?;
        Ok(())
    }

    fn forget(&mut self, lead: &str, by: &str) -> Result<usize, AuditError> {
        let mut n_lines = 0;
        for path in files(&self.folder)? {
            n_lines += forget_in(&path, lead, by)?;
        }
        (self.file, self.length) = open_file(&self.folder)?;
        Ok(n_lines)
    }
}

fn current(folder: &Path) -> PathBuf {
    folder.join("audit.ndjson")
}

fn open_file(folder: &Path) -> Result<(File, u64), AuditError> {
    let path = current(folder);
    let fail = |source| AuditError::File {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(fail)?;
    let mut length = file.metadata().map_err(fail)?.len();
    // What a power cut left as half a line gets its end.
    if length > 0 && last_byte(&path).map_err(fail)? != Some(b'\n') {
        file.write_all(b"\n").map_err(fail)?;
        length += 1;
    }
    Ok((file, length))
}

fn last_byte(path: &Path) -> io::Result<Option<u8>> {
    let mut file = File::open(path)?;
    file.seek(io::SeekFrom::End(-1))?;
    let mut byte = [0];
    Ok((file.read(&mut byte)? == 1).then_some(byte[0]))
}

/// The files of the log.
fn files(folder: &Path) -> Result<Vec<PathBuf>, AuditError> {
    let fail = |source| AuditError::File {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == "audit.ndjson" || (name.starts_with("audit-") && name.ends_with(".ndjson")) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn forget_in(path: &Path, lead: &str, by: &str) -> Result<usize, AuditError> {
    let fail = |source| AuditError::File {
        path: path.to_owned(),
        source,
    };
    let before = fs::read(path).map_err(fail)?;
    let mut after = Vec::with_capacity(before.len());
    let mut n_lines = 0;
    for line in before.split_inclusive(|byte| *byte == b'\n') {
        match replaced(line, lead, by) {
            Some(text) => {
                n_lines += 1;
                after.extend_from_slice(text.as_bytes());
                after.push(b'\n');
            }
            None => after.extend_from_slice(line),
        }
    }
    if n_lines > 0 {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
        file.write_all(&after).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(path).map_err(|error| fail(error.error))?;
    }
    Ok(n_lines)
}

fn replaced(line: &[u8], lead: &str, by: &str) -> Option<String> {
    let mut value: Value = serde_json::from_slice(line).ok()?;
    let leads = value.get_mut("leads")?.as_array_mut()?;
    let mut is_there = false;
    for id in leads {
        if id.as_str() == Some(lead) {
            *id = Value::String(by.to_owned());
            is_there = true;
        }
    }
    is_there.then(|| value.to_string())
}

fn push(text: &mut String, line: &AuditLine) {
    if let Ok(json) = serde_json::to_string(line) {
        text.push_str(&json);
        text.push('\n');
    }
}

/// What a request leaves for its line: who asked, and about which leads.
#[derive(Debug, Clone, Default)]
pub struct Trail(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    caller: Option<String>,
    leads: Vec<String>,
}

impl Trail {
    pub(crate) fn of(parts: &Parts) -> Option<&Self> {
        parts.extensions.get()
    }

    /// Who is asking.
    pub fn caller(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).caller = Some(name.to_owned());
    }

    /// A lead that is read or changed.
    pub fn lead(&self, lead: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .leads
            .push(lead.to_owned());
    }

    /// Leads that are read.
    pub fn leads(&self, leads: &[String]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .leads
            .extend_from_slice(leads);
    }

    /// Instead of the leads: what they are called now.
    pub(crate) fn replace(&self, by: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).leads = vec![by.to_owned()];
    }

    pub(crate) fn line(
        &self,
        at: Timestamp,
        method: &str,
        route: &str,
        status: u16,
        id: &str,
    ) -> AuditLine {
        let kept = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        AuditLine {
            time: iso(at),
            caller: kept.caller,
            method: method.to_owned(),
            route: route.to_owned(),
            status,
            request_id: Some(id.to_owned()),
            leads: kept.leads,
            n_requests: None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
