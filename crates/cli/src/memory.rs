//! Memory that cannot be had is an error with advice, not an abort.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator; where it has nothing left, the command says so and ends as it does on
/// any input that it cannot use.
///
/// What is unfinished then has no name yet, and is removed by the next run.
struct SaysWhenFull;

const MESSAGE: &str = "error: not enough memory\nhint: `score` and `features` keep within --memory; for the others look at leads less often (`every` of [snapshots]), or use a machine with more memory\n";

fn give_up() -> ! {
    #[expect(
        unsafe_code,
        reason = "two calls of the system: nothing else works without memory"
    )]
    // SAFETY: the message is that long, and nothing comes after the exit.
    unsafe {
        libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len() as _);
        libc::_exit(2)
    }
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe to write; each call is handed to the system's as it came"
)]
// SAFETY: as `System`, whose contract is this one; what is null never comes back.
unsafe impl GlobalAlloc for SaysWhenFull {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { give_up() } else { memory }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() { give_up() } else { memory }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's memory, layout and size.
        let memory = unsafe { System.realloc(memory, layout, size) };
        if memory.is_null() { give_up() } else { memory }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's memory and layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: SaysWhenFull = SaysWhenFull;
