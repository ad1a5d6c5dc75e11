//! What times can be meant, and how much text can be held, in all tables of a config.

use leadscore_config::Config;
use leadscore_core::Timestamp;
use leadscore_values::Window;

use crate::memory::half_of_memory;

/// What times can be meant, and how much text can be held, in all tables of a config.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes that a text file may have in memory.
    pub(crate) largest_text: u64,
    /// As the config has it.
    pub(crate) window: Window,
    /// As it is where the config says nothing: what whole numbers are told by.
    pub(crate) usual: Window,
}

/// As many bytes as a limit of memory has at least.
pub const LEAST_MEMORY: u64 = 400_000_000;

impl Bounds {
    pub(crate) fn new(config: &Config, now: Option<Timestamp>) -> Self {
        Self {
            largest_text: config
                .data
                .largest_text
                .map_or_else(half_of_memory, |bytes| bytes.0),
            window: config.data.window(now),
            usual: Window::usual(now),
        }
    }

    pub(crate) fn usual(now: Option<Timestamp>) -> Self {
        Self {
            largest_text: half_of_memory(),
            window: Window::usual(now),
            usual: Window::usual(now),
        }
    }

    /// The same where no more memory than this may be used; what the program needs for itself can
    /// always be had.
    pub(crate) fn within(self, memory: Option<u64>) -> Self {
        let memory = memory.map(|memory| memory.max(LEAST_MEMORY));
        Self {
            largest_text: memory.map_or(self.largest_text, |memory| memory.min(self.largest_text)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_memory_is_a_limit_of_texts() {
        let bounds = Bounds {
            largest_text: 1_000_000_000,
            ..Bounds::usual(None)
        };
        for (memory, expected) in [
            (None, 1_000_000_000),
            (Some(8_000_000_000), 1_000_000_000),
            (Some(500_000_000), 500_000_000),
            // What the program needs for itself can always be had.
            (Some(0), LEAST_MEMORY),
        ] {
            assert_eq!(bounds.within(memory).largest_text, expected, "{memory:?}");
        }
    }
}
