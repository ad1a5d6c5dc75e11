//! An error with its causes as text for a terminal.

use crate::error::Error;
use crate::text::{shown, with_own_lines};

/// How the line of a hint begins.
const HINT: &str = "\n  hint: ";

/// An error with its causes, fit for a terminal: without credentials of addresses, whoever put them
/// into it, and with characters that act escaped; one in a config with the line and a caret.
pub fn error_text(error: &(dyn std::error::Error + 'static), styled: bool) -> String {
    let own = error.downcast_ref::<Error>();
    if let Some(failure) = own.and_then(Error::config_failure) {
        return failure.text(styled);
    }
    format!("error: {}", error_words(error))
}

/// The same without the word "error", and without a part of the config.
pub fn error_words(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut text, mut hints) = (String::new(), String::new());
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    for (number, cause) in causes.enumerate() {
        if number > 0 {
            text += "\n  because: ";
        }
        let words = with_own_lines(&cause.to_string());
        let (sentence, hint) = words.split_at(words.find(HINT).unwrap_or(words.len()));
        text += sentence;
        hints += hint;
    }
    // What to do comes last, whichever of the causes knows it.
    shown(&(text + &hints))
}
