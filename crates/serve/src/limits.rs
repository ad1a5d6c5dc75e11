//! How much the server takes at once, each number with its reason.

use std::time::Duration;

/// Bytes of a body: 10,000 rows of 1.6 kB. A larger file is a batch, and goes by parts.
pub const BODY_BYTES: usize = 16 << 20;

/// Rows of a request: they are stored all or none, and this many take less than a second.
pub const ROWS: usize = 10_000;

/// Leads of a request for scores by ID: at a millisecond each, one second.
pub const LEADS: usize = 1_000;

/// Memory that a parsed body may take. Small values cost many times their bytes (`[{},{},…`), so a
/// limit of bytes alone limits nothing; 10,000 rows of 30 columns take 50 MiB.
pub const PARSED_BYTES: usize = 96 << 20;

/// A body up to here is read without a permit: what a page or one event sends.
pub const SMALL_BODY_BYTES: usize = 64 << 10;

/// Bodies above [`SMALL_BODY_BYTES`] at once: with their parsed form at most half a gigabyte.
pub const LARGE_BODIES: usize = 4;

/// Bytes of a request's head: cookies and a token fit many times. Above it the answer is 431.
pub const HEADER_BYTES: usize = 16 << 10;

/// Lines of a request's head: browsers send about 20.
pub const HEADERS: usize = 64;

/// Characters of a query: search text and filters fit.
pub const QUERY_BYTES: usize = 4 << 10;

/// Characters of an ID of a lead in a path or body. CRMs have at most 255.
pub const ID_CHARS: usize = 1 << 10;

/// Characters of a note of sales: a long paragraph.
pub const NOTE_CHARS: usize = 2_000;

/// Time for the head of a request, and between two requests of a connection: slow senders hold a
/// connection no longer.
pub const HEADER_TIME: Duration = Duration::from_secs(10);

/// Time for the body of a request: 16 MiB over 15 Mbit/s.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// Time for a whole request, body included. Strictly below [`DRAIN_TIME`], so that a request that
/// has begun can end while the server stops.
pub const REQUEST_TIME: Duration = Duration::from_secs(20);

/// Time in which no byte of an answer was taken, after which a connection is closed.
pub const WRITE_STALL_TIME: Duration = Duration::from_secs(15);

/// How long a server that stops goes on answering connections that are busy, each of which is
/// closed with its next answer: a client that has just sent a request is not cut off.
pub const LINGER_TIME: Duration = Duration::from_millis(700);

/// How long a server that stops waits for requests. systemd's default is to kill after 90 s.
pub const DRAIN_TIME: Duration = Duration::from_secs(25);

/// How long bytes are thrown away after an answer that came before the end of its request, so that
/// the client can read the answer: closing at once makes its kernel throw the answer away.
pub const DISCARD_TIME: Duration = Duration::from_secs(5);

/// Connections: each takes at most about 100 kB, together 200 MB.
pub const CONNECTIONS: usize = 2_048;

/// Requests at once, those whose bodies are being read among them. The next one is answered 503
/// before its body is read.
pub const IN_FLIGHT: usize = 512;

/// How long the small body of a request that is told to come back may take to arrive: most have it
/// already in the buffers of the kernel.
pub const SHED_TIME: Duration = Duration::from_millis(100);

/// Scores that wait for each core: a burst of clients is answered, the last of them after some
/// 10 ms. When the line is full, there is more than a burst.
pub const WAITING_PER_CORE: usize = 32;

/// The longest wait for a core in a burst; who waits longer is told to come back. With a longer one,
/// those of the first burst of an overload are more than one in a hundred of all that are admitted.
pub const COMPUTE_WAIT: Duration = Duration::from_millis(20);

/// For how long the line is short after it was full: so long that the few who waited in the long
/// one are less than one in a hundred, and then it is tried again.
pub const STRICT_TIME: Duration = Duration::from_secs(8);

/// Scores that wait for each core while the line is short. One takes a quarter of a millisecond, and
/// threads that wait for the processor of a busy machine take longer than the score.
pub const STRICT_WAITING_PER_CORE: usize = 1;

/// The longest wait for a core while the line is short.
pub const STRICT_COMPUTE_WAIT: Duration = Duration::from_millis(1);

/// Rows of a request up to which they are read where the request is, without another thread: some
/// 10 µs each.
pub const ROWS_INLINE: usize = 16;

/// Scores of a request up to which it counts as a short one.
pub const SCORES_QUICK: usize = 4;

/// Requests of a token in a second, if its entry has no `rate`. A page of sales makes ten; a loop
/// gone wrong makes thousands.
pub const TOKEN_RATE: f64 = 5_000.0;

/// Seconds of its rate that a token may use at once.
pub const TOKEN_BURST_SECONDS: f64 = 2.0;

/// Wrong fields of which an answer tells; how many there are is said as well.
pub const FIELD_ERRORS: usize = 20;

/// Bytes of a file of the audit log, after which the next one begins.
pub const AUDIT_BYTES: u64 = 64 << 20;

/// The limits that a test or a deployment may want other than they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Default [`BODY_BYTES`].
    pub body_bytes: usize,
    /// Default [`ROWS`].
    pub rows: usize,
    /// Default [`HEADER_TIME`].
    pub header_time: Duration,
    /// Default [`BODY_TIME`].
    pub body_time: Duration,
    /// Default [`REQUEST_TIME`].
    pub request_time: Duration,
    /// Default [`DRAIN_TIME`]; at least `request_time` and a second.
    pub drain_time: Duration,
    /// Default [`WRITE_STALL_TIME`].
    pub write_stall_time: Duration,
    /// Default [`CONNECTIONS`].
    pub connections: usize,
    /// Default [`IN_FLIGHT`].
    pub in_flight: usize,
    /// Scores that are computed at once; default: one for each core.
    pub cores: usize,
    /// Default [`AUDIT_BYTES`].
    pub audit_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BODY_BYTES,
            rows: ROWS,
            header_time: HEADER_TIME,
            body_time: BODY_TIME,
            request_time: REQUEST_TIME,
            drain_time: DRAIN_TIME,
            write_stall_time: WRITE_STALL_TIME,
            connections: CONNECTIONS,
            in_flight: IN_FLIGHT,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            audit_bytes: AUDIT_BYTES,
        }
    }
}
