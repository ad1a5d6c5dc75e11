//! A server for a test, and plain sockets that talk to it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use leadscore_config::{ServeConfig, ThresholdConfig};
use leadscore_core::Timestamp;
use leadscore_serve::auth::Role;
use leadscore_serve::tokens::{self, TokenOptions};
use leadscore_serve::{
    App, AppOptions, Clock, Receivers, ServeOptions, Server, State, Stopped, Thresholds,
    WebhookOptions, Webhooks,
};
use serde_json::Value;

use crate::engine::{Memory, START};

/// A server on a thread of its own, which stops when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Memory>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Stopped>>,
    pub(crate) folder: PathBuf,
    _temporary: tempfile::TempDir,
}

pub(crate) fn token(folder: &Path, name: &str, role: Role, owner: Option<&str>) -> String {
    let options = TokenOptions {
        name: name.to_owned(),
        role,
        owner: owner.map(ToOwned::to_owned),
        expires: None,
        rate: None,
    };
    tokens::create(&folder.join("tokens.toml"), options).expect("a token")
}

pub(crate) fn start() -> Running {
    start_with(Memory::default(), |_| (), |_| ())
}

/// The routes of calls of webhooks; of each of the leads of [`Running::with_leads`] there is one, to
/// a receiver that does not listen.
fn deliveries(folder: &Path) -> axum::Router<App> {
    let state = Arc::new(State::open(&folder.join("events.store.state")).expect("a state"));
    let mut config = ServeConfig::default();
    let hot = ThresholdConfig {
        likelihood: Some(40.0),
        webhook: Some("http://127.0.0.1:9/hook".to_owned()),
        secret: Some("HOOK".to_owned()),
        ..ThresholdConfig::default()
    };
    config.thresholds.insert("hot".to_owned(), hot);
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
    let receivers = Receivers::new(&config, |_| Some(secret.to_owned())).expect("receivers");
    let thresholds = Thresholds::new(&config, &receivers, Arc::clone(&state)).expect("sides");
    let made = Memory::default();
    for lead in ["a", "b/ö?"] {
        for n_touches in [0, 20] {
            let score = made.made(lead, n_touches);
            thresholds.observe(&score, None).expect("a side");
        }
    }
    let clock: Clock = Arc::new(|| Timestamp::from_micros(START));
    let options = WebhookOptions::default();
    let (wall, nobody) = (Arc::clone(&clock), Arc::new(|_: &str| Ok(false)));
    let webhooks = Webhooks::start(receivers, &thresholds, state, &clock, wall, nobody, options);
    let webhooks = webhooks.expect("calls");
    leadscore_serve::hook_routes(Arc::new(webhooks))
}

/// `before` may put tokens into the folder, `change` the options.
pub(crate) fn start_with(
    engine: Memory,
    before: impl FnOnce(&Path),
    change: impl FnOnce(&mut AppOptions),
) -> Running {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().to_owned();
    before(&folder);
    let clock = Arc::new(|| Timestamp::from_micros(START + 3_600_000_000));
    let mut options = AppOptions::new(folder.clone(), folder.join("tokens.toml"), clock);
    change(&mut options);
    let engine = Arc::new(engine);
    let app = App::open(Arc::<Memory>::clone(&engine), options).expect("an app");
    let state = tempfile::tempdir().expect("a folder");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let options = ServeOptions::plain("127.0.0.1:0");
            let server = Server::bind(app, deliveries(state.path()), &options)
                .await
                .expect("an address");
            tell.send(server.address()).expect("the test waits");
            server
                .run(async { drop(stopped.await) })
                .await
                .expect("an end")
        })
    });
    let address = told.recv().expect("an address");
    Running {
        address,
        engine,
        stop: Some(stop),
        thread: Some(thread),
        folder,
        _temporary: temporary,
    }
}

impl Running {
    pub(crate) fn stop(&mut self) -> Stopped {
        drop(self.stop.take());
        self.thread
            .take()
            .expect("it is stopped once")
            .join()
            .expect("no panic")
    }

    pub(crate) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.as_bytes(),
        )
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            text.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes)
    }

    /// Sends bytes as they are and reads one answer.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut socket = self.socket();
        socket.write_all(bytes).expect("the server reads");
        answer(&mut socket).expect("the server answers")
    }

    pub(crate) fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("the server listens");
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a time");
        socket
    }

    /// With leads `a` of Ann, and `b/ö?` of Bob.
    pub(crate) fn with_leads(self) -> Self {
        let body = r#"[
            {"id": "1", "table": "leads", "row": {"lead_id": "a", "owner": "Ann"}},
            {"id": "2", "table": "leads", "row": {"lead_id": "b/ö?", "owner": "Bob"}},
            {"id": "3", "table": "activities.touches", "row": {"lead_id": "a"}}]"#;
        let rows: Vec<Value> = serde_json::from_str(body).expect("rows");
        let events =
            leadscore_serve::Engine::read_events(self.engine.as_ref(), &rows).expect("events");
        leadscore_serve::Engine::append(self.engine.as_ref(), events, Box::new(|_| ()));
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A test that fails has told why.
            let _ = thread.join();
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Asserts that it is a problem of this status and kind, and returns it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let value = self.json();
        assert_eq!(
            value["type"],
            format!("urn:leadscore:problem:{slug}"),
            "{self:?}"
        );
        assert_eq!(value["status"], status);
        assert_eq!(
            value["request_id"].as_str(),
            self.headers.get("x-request-id").map(String::as_str)
        );
        value
    }
}

/// Reads one answer with its length.
pub(crate) fn answer(stream: &mut impl Read) -> std::io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap_or(0);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// Tells a figure to who runs the tests with `--no-capture`.
#[expect(clippy::print_stdout, reason = "figures of a run are for people")]
pub(crate) fn report(line: &str) {
    println!("{line}");
}
