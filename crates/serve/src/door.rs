//! Who is let in: the tokens of a file that may change while the server runs.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use leadscore_core::Timestamp;

use crate::limits;
use crate::problem::{Problem, ProblemKind};
use crate::role::{Right, Role};
use crate::tokens::{self, TokenEntry, TokensError};

/// How often the file of tokens is looked at: a token that is revoked ends within this time.
const RELOAD: Duration = Duration::from_secs(1);

/// Who is asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The name of the token, or `local`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The owner whose leads alone they see; `None`: all.
    pub owner: Option<String>,
    /// Requests in a second, at most; `None`: no limit.
    pub rate: Option<f64>,
    /// The hash of the token, by which a session can ask whether it is still good.
    pub token: Option<String>,
}

impl Caller {
    /// Whoever is on this machine, where there are no tokens.
    pub fn local() -> Self {
        Self {
            name: "local".to_owned(),
            role: Role::Admin,
            owner: None,
            rate: None,
            token: None,
        }
    }

    /// Whether the caller sees a lead of this owner.
    pub fn sees(&self, owner: Option<&str>) -> bool {
        self.owner.as_deref().is_none_or(|mine| owner == Some(mine))
    }

    /// Fails where the caller's role has not the right.
    ///
    /// # Errors
    ///
    /// [`ProblemKind::Forbidden`].
    pub fn needs(&self, right: Right) -> Result<(), Problem> {
        if self.role.may(right) {
            return Ok(());
        }
        let roles: Vec<&str> = Role::ALL
            .iter()
            .filter(|role| role.may(right))
            .map(|role| role.name())
            .collect();
        Err(Problem::new(
            ProblemKind::Forbidden,
            format!(
                "the token `{}` has the role {}",
                self.name,
                self.role.name()
            ),
            format!("use a token with the role {}", roles.join(" or ")),
        ))
    }
}

/// Who is let in: the tokens of a file that may change while the server runs.
#[derive(Debug)]
pub struct Door {
    path: PathBuf,
    known: RwLock<Arc<Known>>,
    looked: Mutex<Option<Instant>>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// What is known of the file.
#[derive(Debug)]
enum Known {
    /// It has never existed: this machine alone is answered.
    NoFile,
    /// Its tokens, and what the file was when they were read.
    Tokens(Vec<TokenEntry>, Stamp),
    /// It existed and cannot be read now: nobody is let in.
    Lost,
}

type Stamp = (Option<SystemTime>, u64);

impl Door {
    /// Reads the file of tokens, if it exists.
    ///
    /// # Errors
    ///
    /// [`TokensError`] if it exists and cannot be read.
    pub fn open(path: PathBuf) -> Result<Self, TokensError> {
        let known = match stamp(&path) {
            Ok(stamp) => Known::Tokens(tokens::read(&path)?, stamp),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Known::NoFile,
            Err(source) => return Err(TokensError::File { path, source }),
        };
        Ok(Self {
            path,
            known: RwLock::new(Arc::new(known)),
            looked: Mutex::new(Some(Instant::now())),
            buckets: Mutex::new(HashMap::new()),
        })
    }

    /// Whether there are no tokens, so that only this machine is answered.
    pub fn is_local(&self) -> bool {
        matches!(*self.known(), Known::NoFile)
    }

    /// The caller of a token.
    ///
    /// # Errors
    ///
    /// [`ProblemKind::Unauthorized`] if it is unknown, revoked or expired;
    /// [`ProblemKind::Unavailable`] if the file of tokens is lost.
    pub fn caller(&self, token: &str, now: Timestamp) -> Result<Caller, Problem> {
        self.by_hash(&tokens::hash(token), now)
    }

    /// The caller of a token by the hash of it, as sessions keep it.
    ///
    /// # Errors
    ///
    /// As [`Door::caller`].
    pub fn by_hash(&self, hash: &str, now: Timestamp) -> Result<Caller, Problem> {
        let known = self.known();
        let entries = match &*known {
            Known::NoFile => return Ok(Caller::local()),
            Known::Lost => {
                return Err(Problem::new(
                    ProblemKind::Unavailable,
                    "the file of tokens cannot be read",
                    "whoever runs the server has to put it back",
                ));
            }
            Known::Tokens(entries, _) => entries,
        };
        // All are compared, so that time does not tell which one was nearly right.
        let mut found = None;
        for entry in entries {
            if tokens::same(&entry.sha256, hash) {
                found = Some(entry);
            }
        }
        let entry = found.ok_or_else(|| unauthorized("the token is not known, or was revoked"))?;
        if entry.expires.is_some_and(|expires| now >= expires.0) {
            return Err(unauthorized("the token has expired"));
        }
        Ok(Caller {
            name: entry.name.clone(),
            role: entry.role,
            owner: entry.owner.clone(),
            rate: Some(entry.rate.unwrap_or(limits::TOKEN_RATE)),
            token: Some(entry.sha256.clone()),
        })
    }

    /// Takes one request of what the caller may make.
    ///
    /// # Errors
    ///
    /// [`ProblemKind::RateLimited`].
    pub fn take(&self, caller: &Caller) -> Result<(), Problem> {
        let (Some(rate), Some(token)) = (caller.rate, caller.token.as_ref()) else {
            return Ok(());
        };
        let burst = (rate * limits::TOKEN_BURST_SECONDS).max(1.0);
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(token) {
            buckets.insert(
                token.clone(),
                Bucket {
                    left: burst,
                    at: now,
                },
            );
        }
        let allowed = buckets
            .get_mut(token)
            .is_none_or(|bucket| bucket.take(rate, burst, now));
        drop(buckets);
        if allowed {
            return Ok(());
        }
        Err(Problem::new(
            ProblemKind::RateLimited,
            format!(
                "the token `{}` may make {rate} requests a second",
                caller.name
            ),
            "send several rows or leads in one request, or raise `rate` of the token",
        ))
    }

    fn known(&self) -> Arc<Known> {
        self.reload();
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(&self) {
        let now = Instant::now();
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.is_some_and(|before| now.duration_since(before) < RELOAD) {
                return;
            }
            *looked = Some(now);
        }
        let before = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let after = match (stamp(&self.path), &*before) {
            (Ok(stamp), Known::Tokens(_, read)) if stamp == *read => return,
            (Ok(stamp), Known::Tokens(..) | Known::NoFile | Known::Lost) => {
                tokens::read(&self.path)
                    .map_or(Known::Lost, |entries| Known::Tokens(entries, stamp))
            }
            (Err(error), Known::NoFile) if error.kind() == io::ErrorKind::NotFound => return,
            (Err(_), Known::Tokens(..) | Known::NoFile | Known::Lost) => Known::Lost,
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let facts = fs::metadata(path)?;
    Ok((facts.modified().ok(), facts.len()))
}

pub(crate) fn unauthorized(detail: &str) -> Problem {
    Problem::new(
        ProblemKind::Unauthorized,
        detail,
        "send the header `authorization: Bearer TOKEN`; `leadscore tokens create` makes one",
    )
}

/// Requests that a token may still make.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, rate: f64, burst: f64, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + seconds * rate).min(burst);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}
