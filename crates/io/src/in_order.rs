//! Pieces of work on several threads, results in order, and hardly more pieces in memory than
//! threads.

use std::sync::{Condvar, Mutex, MutexGuard};

/// Where the pieces stand.
struct Progress<T, E> {
    /// The next piece to be begun.
    next: usize,
    /// Pieces whose results were taken.
    taken: usize,
    results: Vec<Option<T>>,
    error: Option<E>,
}

/// Does pieces `0..n_pieces` on `n_threads` threads, and gives their results to `take` in order.
///
/// At most `n_threads` pieces are begun and not yet taken, so that as many, and the one that is
/// taken, are in memory. These are threads of their own and not a pool's: a pool's thread that
/// waits for another pool begins further pieces meanwhile, and memory has no bound.
///
/// # Errors
///
/// The first error of a piece or of `take`; pieces that were not begun are left out.
///
/// # Examples
///
/// ```
/// let mut squares = Vec::new();
/// leadscore_io::in_order(5, 2, |piece| Ok::<_, ()>(piece * piece), |square| { squares.push(square); Ok(()) }).unwrap();
/// assert_eq!(squares, [0, 1, 4, 9, 16]);
/// ```
pub fn in_order<T: Send, E: Send>(
    n_pieces: usize,
    n_threads: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let n_threads = n_threads.clamp(1, n_pieces.max(1));
    let progress = Mutex::new(Progress {
        next: 0,
        taken: 0,
        results: (0..n_pieces).map(|_| None).collect(),
        error: None,
    });
    let changed = Condvar::new();
    let lock = || {
        progress
            .lock()
            .expect("no thread fails while it holds the lock")
    };
    let run = || {
        loop {
            let Some(piece) = next_piece(lock(), &changed, n_threads) else {
                return;
            };
            let result = work(piece);
            let mut now = lock();
            match result {
                Ok(result) => now.results[piece] = Some(result),
                Err(error) => now.error = now.error.take().or(Some(error)),
            }
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(run)).collect();
        for piece in 0..n_pieces {
            let is_working = || threads.iter().any(|thread| !thread.is_finished());
            let result = result_of(lock(), &changed, piece, &is_working);
            // A thread that panicked leaves no result: the scope hands its panic on.
            let Some(result) = result else { break };
            lock().taken += 1;
            changed.notify_all();
            if let Err(error) = take(result) {
                lock().error = Some(error);
                break;
            }
        }
        let mut now = lock();
        now.taken = n_pieces;
        changed.notify_all();
    });
    progress
        .into_inner()
        .expect("no thread fails while it holds the lock")
        .error
        .map_or(Ok(()), Err)
}

/// Waits until a piece may be begun; `None` where there are no more, or one has failed.
fn next_piece<T, E>(
    mut now: MutexGuard<'_, Progress<T, E>>,
    changed: &Condvar,
    n_threads: usize,
) -> Option<usize> {
    let n_pieces = now.results.len();
    while now.next < n_pieces && now.next >= now.taken + n_threads && now.error.is_none() {
        now = changed
            .wait(now)
            .expect("no thread fails while it holds the lock");
    }
    if now.next == n_pieces || now.error.is_some() {
        return None;
    }
    now.next += 1;
    Some(now.next - 1)
}

/// Waits for the result of a piece; `None` where there is none while anyone works, or one has
/// failed.
fn result_of<T, E>(
    mut now: MutexGuard<'_, Progress<T, E>>,
    changed: &Condvar,
    piece: usize,
    is_working: &dyn Fn() -> bool,
) -> Option<T> {
    while now.results[piece].is_none() && now.error.is_none() && is_working() {
        now = changed
            .wait_timeout(now, std::time::Duration::from_millis(200))
            .expect("no thread fails while it holds the lock")
            .0;
    }
    if now.error.is_some() {
        return None;
    }
    now.results[piece].take()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn hardly_more_pieces_than_threads_are_in_memory() {
        let (held, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |piece: usize| {
            most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // The first piece is slow, and the others must wait for it to be taken.
            std::thread::sleep(std::time::Duration::from_millis(if piece == 0 {
                30
            } else {
                1
            }));
            Ok::<_, ()>(piece)
        };
        let mut taken = Vec::new();
        let take = |piece| {
            held.fetch_sub(1, Ordering::SeqCst);
            taken.push(piece);
            Ok(())
        };
        in_order(40, 3, work, take).expect("nothing fails");
        assert_eq!(taken, (0..40).collect::<Vec<_>>());
        // Three, and the one that is being taken.
        assert!(most.load(Ordering::SeqCst) <= 4, "{most:?}");
    }

    #[test]
    fn the_first_error_ends_it() {
        assert_eq!(
            in_order(
                9,
                2,
                |piece| if piece == 4 { Err("four") } else { Ok(piece) },
                |_| Ok(())
            ),
            Err("four")
        );
        assert_eq!(
            in_order(9, 2, Ok, |piece| if piece == 3 {
                Err("taken")
            } else {
                Ok(())
            }),
            Err("taken")
        );
        assert_eq!(in_order(0, 2, |_| Ok::<_, ()>(0), |_| Ok(())), Ok(()));
    }
}
