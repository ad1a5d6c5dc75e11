//! The query of an address, read strictly: each name once, and no name that means nothing.

use std::collections::BTreeMap;

use crate::percent::{NotEncoded, decoded};
use crate::problem::{Problem, ProblemKind};

/// Names and values of a query that were not taken yet.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn read(raw: &str) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (plain(name)?, plain(value)?);
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
fn plain(text: &str) -> Result<String, Problem> {
    decoded(&text.replace('+', " ")).map_err(|why| {
        let (detail, hint) = match why {
            NotEncoded::Percent => (
                "the query has a % without two hexadecimal digits",
                "write % as %25",
            ),
            NotEncoded::Utf8 => ("the query is not UTF-8", "encode its text as UTF-8"),
        };
        Problem::new(ProblemKind::BadRequest, detail, hint)
    })
}
