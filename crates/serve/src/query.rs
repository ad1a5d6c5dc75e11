//! The query of an address, read strictly: each name once, and no name that means nothing.

use std::collections::BTreeMap;

use crate::problem::{Problem, ProblemKind};

/// Names and values of a query that were not taken yet.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn read(raw: &str) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if given.insert(name.clone(), value).is_some() {
                return Err(refuse(&name, "is there twice", "write it once"));
            }
        }
        Ok(Self(given))
    }

    /// Takes a value, if it is there.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(refuse(
                name,
                &format!("is {text:?}"),
                &format!("expected {expected}"),
            )),
        }
    }

    /// Fails if something is left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            Some(name) => Err(refuse(
                &name,
                "means nothing",
                "/openapi.json has the names",
            )),
            None => Ok(()),
        }
    }
}

fn refuse(name: &str, what: &str, hint: &str) -> Problem {
    Problem::new(
        ProblemKind::BadRequest,
        format!("the query's {name:?} {what}"),
        hint,
    )
}

/// A part of a query without its percents and pluses.
fn decoded(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let pair = rest
                    .get(..2)
                    .and_then(|pair| std::str::from_utf8(pair).ok());
                let byte = pair
                    .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok());
                let Some(byte) = byte else {
                    return Err(Problem::new(
                        ProblemKind::BadRequest,
                        "the query has a % without two hexadecimal digits",
                        "write % as %25",
                    ));
                };
                bytes.push(byte);
                rest = &rest[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(
            ProblemKind::BadRequest,
            "the query is not UTF-8",
            "encode its text as UTF-8",
        )
    })
}
