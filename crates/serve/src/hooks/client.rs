//! One call over HTTP: it follows no redirect, uses no proxy, and connects only to addresses that
//! the receiver may have.

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::address::Reach;
use super::answer::Answer;

/// More of an answer's body is not read: the status says everything.
const MOST_BYTES: usize = 16 * 1024;
/// More of what a library says of a failure is not kept.
const MOST_CHARS: usize = 160;

/// Makes a client of receivers with a reach.
pub(super) fn client(reach: Reach, timeout: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("leadscore/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // A proxy would look names up itself, and reach what this machine may not.
        .no_proxy()
        .dns_resolver2(Filtered(reach))
        .connect_timeout(timeout / 2)
        .timeout(timeout)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}

/// What a call has.
pub(super) struct Request {
    pub(super) url: url::Url,
    pub(super) id: String,
    pub(super) seconds: i64,
    pub(super) signature: String,
    pub(super) body: String,
}

/// Calls a receiver once.
pub(super) async fn call(client: Client, request: Request, timeout: Duration) -> Answer {
    let sent = client
        .post(request.url)
        .header("content-type", "application/json")
        .header("webhook-id", request.id)
        .header("webhook-timestamp", request.seconds)
        .header("webhook-signature", request.signature)
        .body(request.body)
        .send()
        .await;
    match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            let retry_after = retry_after(&response);
            finish(response).await;
            Answer::of(status, retry_after)
        }
        Err(error) => Answer::Down {
            status: None,
            problem: problem(&error, timeout),
            retry_after: None,
        },
    }
}

/// Reads a short body to its end, so that the connection can be used again.
async fn finish(mut response: Response) {
    let mut n_bytes = 0;
    while n_bytes < MOST_BYTES {
        match response.chunk().await {
            Ok(Some(bytes)) => n_bytes += bytes.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

/// The header in seconds; dates are not read, since they need a clock that both have.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Why there was no answer, without the address.
fn problem(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", timeout.as_secs_f64());
    }
    let mut innermost: Option<&dyn Error> = error.source();
    while let Some(inner) = innermost.and_then(Error::source) {
        innermost = Some(inner);
    }
    let said: String = innermost
        .map(ToString::to_string)
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(MOST_CHARS)
        .collect();
    if error.is_connect() {
        format!("no connection: {said}")
    } else {
        format!("the connection ended before the answer: {said}")
    }
}

/// Looks names up, and leaves out what may not be called: what is checked is what is connected to.
#[derive(Debug, Clone, Copy)]
struct Filtered(Reach);

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || {
                (name.as_str(), 0)
                    .to_socket_addrs()
                    .map(Iterator::collect::<Vec<_>>)
            });
            let mut addresses: Vec<SocketAddr> = found.await??;
            addresses.retain(|address| reach.allows(address.ip()));
            if addresses.is_empty() {
                return Err(reach.refusal().into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The clients of all receivers: one for each reach, made when it is first needed, since reading
/// the system's certificates takes time.
#[derive(Debug)]
pub(super) struct Clients {
    made: [std::sync::OnceLock<Client>; 3],
    timeout: Duration,
}

impl Clients {
    pub(super) fn new(timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            made: Default::default(),
            timeout,
        })
    }

    /// The client of a reach; it may wait for the disk.
    pub(super) fn get(&self, reach: Reach) -> reqwest::Result<Client> {
        let made = &self.made[match reach {
            Reach::Public => 0,
            Reach::Private => 1,
            Reach::Loopback => 2,
        }];
        if let Some(client) = made.get() {
            return Ok(client.clone());
        }
        let client = client(reach, self.timeout)?;
        Ok(made.get_or_init(|| client).clone())
    }
}
