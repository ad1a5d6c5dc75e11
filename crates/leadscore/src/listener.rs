//! Whoever asked for the work hears how it goes, and may stop it.

use std::sync::Arc;

/// Hears how the work goes: a terminal, a notebook, nobody.
pub trait Listener: Send + Sync {
    /// Something that a person should know while results go elsewhere.
    fn remark(&self, text: &str);

    /// A stage of the work begins; it ends when what is returned is dropped.
    fn begin(&self, what: &str) -> Box<dyn Progress>;

    /// Whether nobody waits for the result any longer.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// A stage of the work.
pub trait Progress: Send + Sync {
    /// So many of so many steps are done.
    fn at(&self, done: usize, total: usize);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Listener for Silent {
    fn remark(&self, _: &str) {}

    fn begin(&self, _: &str) -> Box<dyn Progress> {
        Box::new(Self)
    }
}

impl Progress for Silent {
    fn at(&self, _: usize, _: usize) {}
}

/// The work was stopped by whoever asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// A stage of the work, over when dropped.
pub struct Stage {
    progress: Box<dyn Progress>,
    done: std::sync::atomic::AtomicUsize,
    total: usize,
}

impl Stage {
    /// Begins a stage of so many steps.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] where nobody waits for the result any longer.
    pub fn begin(
        listener: &Arc<dyn Listener>,
        what: &str,
        total: usize,
    ) -> Result<Self, Interrupted> {
        if listener.is_interrupted() {
            return Err(Interrupted);
        }
        Ok(Self {
            progress: listener.begin(what),
            done: Default::default(),
            total,
        })
    }

    /// Some steps more are done.
    pub fn advance(&self, steps: usize) {
        let done = self
            .done
            .fetch_add(steps, std::sync::atomic::Ordering::Relaxed)
            + steps;
        self.progress.at(done, self.total);
    }

    /// So many of so many steps are done, where the number of steps was not known before.
    pub fn at(&self, done: usize, total: usize) {
        self.progress.at(done, total);
    }
}
