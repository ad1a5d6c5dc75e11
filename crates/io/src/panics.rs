//! Libraries that read files and stop at what they did not foresee: their panic becomes an error at
//! the door.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::TablesError;

static READING: AtomicUsize = AtomicUsize::new(0);

/// Whether some thread is within a library whose panics become errors: whoever prints panics may
/// then leave it.
pub fn is_reading() -> bool {
    READING.load(Ordering::Relaxed) > 0
}

/// Does what a library does with a file.
///
/// # Errors
///
/// Those of `work`; [`TablesError::Format`] where it panics.
pub(crate) fn caught<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, TablesError>,
) -> Result<T, TablesError> {
    READING.fetch_add(1, Ordering::Relaxed);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    READING.fetch_sub(1, Ordering::Relaxed);
    outcome.unwrap_or_else(|panic| {
        Err(TablesError::Format {
            path: path.to_owned(),
            found: format!(
                "the library that reads such files stopped ({})",
                words(panic.as_ref())
            ),
            help: if words(panic.as_ref()).contains("Too many open files") {
                "raise the limit of open files (`ulimit -n`)".to_owned()
            } else {
                "the file may be damaged: export it again, or write it as CSV".to_owned()
            },
        })
    })
}

/// The first line of what a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it did not say why");
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_file() {
        let error = caught::<()>(Path::new("leads.arrow"), || panic!("index out of bounds"))
            .expect_err("it stopped")
            .to_string();
        assert!(
            error.starts_with(
                "leads.arrow: the library that reads such files stopped (index out of bounds)"
            ),
            "{error}"
        );
        assert!(!is_reading());
        assert_eq!(
            caught(Path::new("leads.arrow"), || Ok(3)).expect("it did not stop"),
            3
        );
    }
}
