//! An error with its causes as text for a terminal.

use crate::error::Error;
use crate::text::{shown, with_own_lines};

/// An error with its causes, fit for a terminal: without credentials of addresses, whoever put them
/// into it, and with characters that act escaped; one in a config with the line and a caret.
pub fn error_text(error: &(dyn std::error::Error + 'static), styled: bool) -> String {
    let own = error.downcast_ref::<Error>();
    if let Some(failure) = own.and_then(Error::config_failure) {
        return failure.text(styled);
    }
    let causes = std::iter::successors(error.source(), |cause| cause.source())
        .map(|cause| format!("\n  because: {}", with_own_lines(&cause.to_string())));
    shown(
        &std::iter::once(format!("error: {}", with_own_lines(&error.to_string())))
            .chain(causes)
            .collect::<String>(),
    )
}
