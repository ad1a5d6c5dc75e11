//! Receivers of webhooks on this machine, which answer as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A call as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) lead: String,
    pub(crate) body: String,
}

/// What is done with a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// A status, and a further header.
    Status(u16, &'static str),
    /// Nothing, for a minute.
    Hang,
    /// The connection ends before anything of the answer.
    Close,
    /// It ends within the head.
    CloseInHead,
    /// It ends within the body of a 200.
    CloseInBody,
}

/// Decides by the call and by how many calls came before.
type Decide = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// A receiver.
pub(crate) struct Receiver {
    pub(crate) url: String,
    requests: Arc<(Mutex<Vec<Request>>, Condvar)>,
}

impl Receiver {
    pub(crate) fn new(
        decide: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let requests = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (seen, decide): (_, Arc<Decide>) = (Arc::clone(&requests), Arc::new(decide));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, decide) = (Arc::clone(&seen), Arc::clone(&decide));
                thread::spawn(move || answer(stream, &seen, &*decide));
            }
        });
        Ok(Self { url, requests })
    }

    /// Calls so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let (requests, _) = &*self.requests;
        requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until so many calls came in; panics after half a minute.
    #[track_caller]
    pub(crate) fn wait_for(&self, n_calls: usize) -> Vec<Request> {
        let (requests, changed) = &*self.requests;
        let start = Instant::now();
        let mut seen = requests.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.len() < n_calls {
            let n_seen = seen.len();
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{n_seen} of {n_calls} calls"
            );
            let waited = changed.wait_timeout(seen, Duration::from_millis(100));
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        seen.clone()
    }
}

fn answer(
    mut stream: TcpStream,
    (requests, changed): &(Mutex<Vec<Request>>, Condvar),
    decide: &Decide,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let request = read(&mut reader)?;
        let mut seen = requests.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = decide(&request, seen.len());
        seen.push(request);
        drop(seen);
        changed.notify_all();
        let text = match reply {
            Reply::Status(status, header) => {
                format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n{header}\r\nok")
            }
            Reply::Hang => {
                thread::sleep(Duration::from_secs(60));
                return None;
            }
            Reply::Close => return None,
            Reply::CloseInHead => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").ok()?;
                return None;
            }
            Reply::CloseInBody => {
                let text = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok";
                stream.write_all(text).ok()?;
                return None;
            }
        };
        stream.write_all(text.as_bytes()).ok()?;
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let header = |wanted: &str, head: &[String]| {
        head.iter()
            .find_map(|line| line.strip_prefix(&format!("{wanted}: ")))
            .map(str::to_owned)
    };
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let length = header("content-length", &head)?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let json: serde_json::Value = serde_json::from_str(&body).ok()?;
    Some(Request {
        id: header("webhook-id", &head)?,
        timestamp: header("webhook-timestamp", &head)?,
        signature: header("webhook-signature", &head)?,
        lead: json["data"]["lead"].as_str()?.to_owned(),
        body,
    })
}
