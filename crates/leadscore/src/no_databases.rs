//! A build without databases: no address can be found.

use std::path::Path;

use leadscore_core::{LeftOut, SecretUri};
use leadscore_io::Frame;

/// Where a database would be.
pub(crate) enum Address {}

impl Address {
    pub(crate) fn resolve(
        _: &SecretUri,
        _: Option<&str>,
        _: &Path,
        _: &str,
    ) -> Result<Self, LeftOut> {
        Err(LeftOut::Databases)
    }

    pub(crate) fn shown(&self) -> &str {
        match *self {}
    }
}

pub(crate) fn check(address: &Address) -> Result<(), LeftOut> {
    match *address {}
}

pub(crate) fn read(address: &Address, _: &[(&str, &str)]) -> Result<Vec<Frame>, LeftOut> {
    match *address {}
}

pub(crate) fn upsert(address: &Address, _: &str, _: &[&str], _: &Frame) -> Result<usize, LeftOut> {
    match *address {}
}
