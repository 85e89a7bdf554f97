//! Lines on their way to standard error.

use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many bytes may wait. Whoever would make it more writes them first.
const BOUND: usize = 1024 * 1024;

/// How long lines are collected before they are written together: waking a thread and writing cost
/// each time as much as a dozen lines.
const COLLECT: Duration = Duration::from_millis(10);

/// Lines that wait to be written by a thread of their own.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write, or nothing more will come.
    filled: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    is_over: bool,
}

impl Buffer {
    /// Adds a line; never lost, but written by the caller when too much waits.
    pub(super) fn add(&self, line: &[u8]) {
        let mut state = self.state();
        let was_empty = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        if state.is_over || state.lines.len() > BOUND {
            write(&state.lines);
            state.lines.clear();
        } else if was_empty {
            self.0.filled.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_until_over(&self) {
        let mut writing = Vec::new();
        let mut state = self.state();
        loop {
            while state.lines.is_empty() && !state.is_over {
                let waited = self.0.filled.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if state.is_over {
                write(&state.lines);
                state.lines.clear();
                return;
            }
            drop(state);
            std::thread::sleep(COLLECT);
            std::mem::swap(&mut self.state().lines, &mut writing);
            write(&writing);
            writing.clear();
            state = self.state();
        }
    }
}

/// Writes what waits when dropped; lines that come later are written at once.
pub(crate) struct Writing {
    buffer: Buffer,
    thread: Option<JoinHandle<()>>,
}

impl Writing {
    /// Begins to write; without a thread every line is written at once.
    pub(super) fn begin(buffer: &Buffer) -> Self {
        let writer = buffer.clone();
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.write_until_over())
            .ok();
        if thread.is_none() {
            buffer.state().is_over = true;
        }
        Self {
            buffer: buffer.clone(),
            thread,
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.buffer.state().is_over = true;
        self.buffer.0.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Nobody can be told when standard error is closed.
fn write(lines: &[u8]) {
    let _ = std::io::stderr().lock().write_all(lines);
}
