//! Sockets: who may be listened to, connections within their limits, and an end that drops nothing.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use leadscore_config::SiteAddress;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::app::App;
use crate::io::{Stalling, close};
use crate::limits;
use crate::router::router;
use crate::site::Site;
use crate::tls::{self, TlsError};

/// How a server listens.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address and port; port 0 takes any free one.
    pub address: String,
    /// PEM files of certificate and key; default: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Address at which people reach the server; default: the host that a request names.
    pub base: Option<SiteAddress>,
}

impl ServeOptions {
    /// Plain HTTP at an address and port, where nobody says how people reach it.
    pub fn plain(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            tls: None,
            base: None,
        }
    }

    /// How browsers reach such a server, for [`crate::AppOptions`].
    pub fn site(&self) -> Site {
        match &self.base {
            Some(address) => Site::At(address.clone()),
            None => Site::ByHost {
                is_tls: self.tls.is_some(),
            },
        }
    }
}

/// PEM files for TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those that it rests on.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why a server does not start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}\n  hint: another program may have the port; name another `address`"
    )]
    Bind {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Anybody could ask.
    #[error(
        "{address} can be reached from other machines, and there are no tokens\n  hint: make one with `leadscore tokens create`, or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// Anybody could ask by a proxy on this machine.
    #[error(
        "people reach the server at {site}, and there are no tokens\n  hint: make one with `leadscore tokens create`, or remove `base` from [serve]"
    )]
    OpenByProxy {
        /// `base` of `[serve]`.
        site: SiteAddress,
    },
    /// The time for requests is not below the time for stopping.
    #[error(
        "requests may take {request:?}, and stopping takes {drain:?}\n  hint: give requests less time than stopping"
    )]
    Times {
        /// For a request.
        request: Duration,
        /// For stopping.
        drain: Duration,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What an ended server leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stopped {
    /// Connections that were cut since they did not end in time.
    pub n_cut: usize,
}

/// A server that has its address, and answers once it runs.
pub struct Server {
    answering: Answering,
    listener: TcpListener,
    address: SocketAddr,
}

/// What a connection is answered with.
struct Answering {
    app: App,
    service: Router,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Takes the address. `more` has further routes, such as the page's.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if the address is taken, or can be reached from elsewhere while there are no
    /// tokens, or if the files of TLS are not what they should be.
    pub async fn bind(
        app: App,
        more: Router<App>,
        options: &ServeOptions,
    ) -> Result<Self, ServeError> {
        let (request, drain) = (app.limits().request_time, app.limits().drain_time);
        if request >= drain {
            return Err(ServeError::Times { request, drain });
        }
        let fail = |source| ServeError::Bind {
            address: options.address.clone(),
            source,
        };
        let listener = TcpListener::bind(&options.address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        if app.door().is_local() && !address.ip().is_loopback() {
            return Err(ServeError::Open { address });
        }
        if app.door().is_local()
            && let Some(site) = app.site().elsewhere()
        {
            return Err(ServeError::OpenByProxy { site: site.clone() });
        }
        let tls = match &options.tls {
            Some(files) => Some(tls::acceptor(&files.certificate, &files.key)?),
            None => None,
        };
        let service = router(app.clone(), more);
        Ok(Self {
            answering: Answering { app, service, tls },
            listener,
            address,
        })
    }

    /// The address that it has.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether tokens, sessions and scores may travel over a network where others can read them:
    /// nothing says that people reach it by HTTPS, and it answers more than this machine.
    pub fn is_in_the_clear(&self) -> bool {
        let site = self.answering.app.site();
        !site.is_https() && (site.elsewhere().is_some() || !self.address.ip().is_loopback())
    }

    /// Answers until `shutdown` is there; then ends what has begun.
    ///
    /// # Errors
    ///
    /// None today: a socket that fails is waited for.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<Stopped, ServeError> {
        let Self {
            answering,
            listener,
            ..
        } = self;
        let app = answering.app.clone();
        let n_connections = app.limits().connections;
        let permits = Arc::new(Semaphore::new(n_connections));
        let (stop, stopping) = watch::channel(false);
        let mut tasks = tokio::task::JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            while tasks.try_join_next().is_some() {}
            match accepted {
                Ok((socket, _)) => {
                    answering
                        .take(socket, &permits, &stopping, &mut tasks)
                        .await;
                }
                // No file descriptor is left, or the like: it passes when connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        app.drain();
        // Who is in the line of the kernel has connected, and is answered. The system is asked
        // itself, and the socket closed in the same breath: whoever is in line then is cut off.
        if let Ok(listener) = listener.into_std() {
            while let Ok((socket, _)) = listener.accept() {
                if socket.set_nonblocking(true).is_ok()
                    && let Ok(socket) = TcpStream::from_std(socket)
                {
                    answering
                        .take(socket, &permits, &stopping, &mut tasks)
                        .await;
                }
            }
        }
        let end = tokio::time::Instant::now() + app.limits().drain_time;
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits::LINGER_TIME, all)
            .await
            .is_err()
        {
            // Who sends nothing now is idle.
            let _ = stop.send(true);
            let all = async { while tasks.join_next().await.is_some() {} };
            let _ = tokio::time::timeout_at(end, all).await;
        }
        let n_cut = tasks.len();
        tasks.shutdown().await;
        app.audit().flush().await;
        Ok(Stopped { n_cut })
    }
}

impl Answering {
    async fn take(
        &self,
        socket: TcpStream,
        permits: &Arc<Semaphore>,
        stopping: &watch::Receiver<bool>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) {
        let Ok(permit) = Arc::clone(permits).try_acquire_owned() else {
            self.app.metrics().connection_refused();
            refuse(socket, self.tls.is_some()).await;
            return;
        };
        self.app.metrics().connected();
        // Answers are small, and are written at once.
        let _ = socket.set_nodelay(true);
        let limits = self.app.limits();
        let (header_time, stall) = (limits.header_time, limits.write_stall_time);
        let service = self.service.clone();
        let stopping = stopping.clone();
        let tls = self.tls.clone();
        tasks.spawn(async move {
            let socket = Stalling::new(socket, stall);
            match tls {
                None => connection(socket, service, stopping, header_time).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) =
                        tokio::time::timeout(header_time, tls.accept(socket)).await
                    {
                        connection(stream, service, stopping, header_time).await;
                    }
                }
            }
            drop(permit);
        });
    }
}

/// Puts a server together, listens and answers: [`Server::bind`] and [`Server::run`].
///
/// # Errors
///
/// As [`Server::bind`].
pub async fn serve(
    app: App,
    more: Router<App>,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<Stopped, ServeError> {
    Server::bind(app, more, options).await?.run(shutdown).await
}

/// One connection, request after request.
async fn connection(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Router,
    mut stopping: watch::Receiver<bool>,
    header_time: Duration,
) {
    type Answer = Pin<Box<dyn Future<Output = Result<Response, std::convert::Infallible>> + Send>>;
    let service = service_fn(
        move |request: hyper::Request<hyper::body::Incoming>| -> Answer {
            Box::pin(service.clone().oneshot(request.map(Body::new)))
        },
    );
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_time)
        .max_buf_size(limits::HEADER_BYTES)
        .max_headers(limits::HEADERS)
        // Who has sent its request and closed its half still wants the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(io), service);
    let mut is_told = false;
    loop {
        tokio::select! {
            // A connection that failed has nobody to tell.
            _ = std::future::poll_fn(|context| connection.poll_without_shutdown(context)) => break,
            changed = stopping.changed(), if !is_told => {
                is_told = true;
                if changed.is_ok() {
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
    }
    let time = if is_told {
        limits::LINGER_TIME
    } else {
        limits::DISCARD_TIME
    };
    close(connection.into_parts().io.into_inner(), time).await;
}

/// Tells somebody above the limit of connections so, without waiting for them.
async fn refuse(mut socket: TcpStream, is_tls: bool) {
    if is_tls {
        return;
    }
    let answer = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
        content-length: 0\r\n\r\n";
    // It fits the empty buffer of a new socket.
    let _ = tokio::time::timeout(Duration::from_millis(5), socket.write_all(answer)).await;
}
