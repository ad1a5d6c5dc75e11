//! A PostgreSQL server of a test's own, which it may stop as it likes; and a way to it that the test
//! may cut.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use leadscore_core::SecretUri;
use leadscore_store::{ServerAddress, StorePlace};

/// A server, stopped at the end.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    port: u16,
    options: String,
}

/// The newest server that is installed.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed")
        .map(|folder| folder.expect("a folder").path())
        .collect();
    found.sort_by_key(|path| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.and_then(|name| name.parse::<u32>().ok())
    });
    found.pop().expect("a version").join("bin")
}

impl Server {
    pub(crate) fn start(options: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A server refuses to run as root.
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let server = Self {
            folder,
            port,
            options: options.to_owned(),
        };
        let password = server.folder.path().join("password");
        std::fs::write(&password, "s3cret-word").expect("written");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&password));
        }
        server.run(
            "initdb",
            &[
                "-D",
                &server.data(),
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "-U",
                "postgres",
                "--no-sync",
                &format!("--pwfile={}", password.display()),
            ],
        );
        server.start_again();
        server
    }

    pub(crate) fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    pub(crate) fn start_again(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' {}",
            self.port, self.options
        );
        let log = self.folder.path().join("log").display().to_string();
        self.run(
            "pg_ctl",
            &[
                "-D",
                &self.data(),
                "-o",
                &options,
                "-l",
                &log,
                "-w",
                "start",
            ],
        );
    }

    /// Stops it as a power cut would, but for what the system has in memory.
    pub(crate) fn crash(&self) {
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-m", "immediate", "-w", "stop"],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = programs().join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir("/"));
    }

    /// By its socket, to a user who needs no password.
    pub(crate) fn uri(&self) -> String {
        format!(
            "postgresql:///postgres?host={}&port={}&user=postgres",
            self.folder.path().display(),
            self.port
        )
    }

    /// By its port, or one that leads to it, with a password.
    pub(crate) fn uri_of(&self, port: u16, password: &str) -> String {
        format!("postgresql://postgres:{password}@127.0.0.1:{port}/postgres")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn client(&self) -> postgres::Client {
        postgres::Client::connect(&self.uri(), postgres::NoTls).expect("connected")
    }

    /// Lets it take TLS, with a certificate for 127.0.0.1, whose file it gives.
    pub(crate) fn encrypt(&self) -> String {
        let name = |name: &str| format!("{}/{name}", self.data());
        let arguments = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
                         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
        let (key, certificate) = (name("server.key"), name("server.crt"));
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split_whitespace());
        openssl.stderr(std::process::Stdio::null());
        run(openssl.args(["-keyout", &key, "-out", &certificate]));
        run(Command::new("chmod").args(["600", &key]));
        if is_root() {
            run(Command::new("chown").args(["postgres", &key, &certificate]));
        }
        let mut client = self.client();
        client
            .execute("ALTER SYSTEM SET ssl = on", &[])
            .and_then(|_| client.execute("SELECT pg_reload_conf()", &[]))
            .expect("set");
        std::thread::sleep(Duration::from_millis(500));
        certificate
    }

    /// Ends the connections that have a lock of a store; how many they were.
    pub(crate) fn end_writers(&self) -> i64 {
        let sql = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_locks \
                   WHERE locktype = 'advisory' AND granted";
        self.client().query_one(sql, &[]).expect("ended").get(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if PathBuf::from(self.data()).join("postmaster.pid").exists() {
            self.crash();
        }
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("run");
    output.stdout == b"0\n"
}

fn run(command: &mut Command) {
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()
        .expect("run");
    assert!(status.success(), "{command:?}");
}

pub(crate) fn place(uri: &str) -> StorePlace {
    ServerAddress::parse(&SecretUri::from(uri.to_owned()))
        .expect("an address")
        .into()
}

/// A way to a server that loses answers, and takes no calls, as long as a test wants it.
pub(crate) struct Way {
    pub(crate) port: u16,
    /// How many answers still come through; as many as there are, if it is negative.
    n_answers: Arc<AtomicI64>,
    is_closed: Arc<AtomicBool>,
}

impl Way {
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let way = Self {
            port: listener.local_addr().expect("bound").port(),
            n_answers: Arc::new(AtomicI64::new(-1)),
            is_closed: Arc::default(),
        };
        let (n_answers, closed) = (Arc::clone(&way.n_answers), Arc::clone(&way.is_closed));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a client");
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", target)).expect("a server");
                let (up, down) = (client.try_clone(), server.try_clone());
                let all = AtomicI64::new(-1);
                let (client_end, server_end) = (up.expect("a copy"), down.expect("a copy"));
                std::thread::spawn(move || forward(client_end, server_end, &all));
                let n_answers = Arc::clone(&n_answers);
                std::thread::spawn(move || forward(server, client, &n_answers));
            }
        });
        way
    }

    /// From now on, so many answers come through; the next one is lost and its connection breaks.
    /// New ones are refused until the way is open.
    pub(crate) fn lose_answer(&self, n_before: i64) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.n_answers.store(n_before, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.n_answers.store(-1, Ordering::SeqCst);
        self.is_closed.store(false, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, n_left: &AtomicI64) {
    let mut buffer = [0; 65_536];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let left = n_left.load(Ordering::SeqCst);
        if left > 0 {
            n_left.fetch_sub(1, Ordering::SeqCst);
        } else if left == 0 {
            // The server has done what it was asked for, and does not know that nobody heard of it.
            drop(to.shutdown(Shutdown::Both));
            std::thread::sleep(Duration::from_secs(30));
            return;
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
