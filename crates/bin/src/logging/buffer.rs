//! The queue of log lines before standard error, whose reader may be slow.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most bytes in the queue; the next line is dropped. Some thousand lines, more than a merely slow reader
/// leaves (chosen).
const BOUND: usize = 1024 * 1024;

/// How long lines are collected before they are written together: waking a thread and writing costs as much
/// as a dozen lines.
const COLLECT: Duration = Duration::from_millis(10);

/// How long the end of the program waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines dropped since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The number of lines dropped since the start.
pub(crate) fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// The queue of lines and its writer thread. Only that thread waits for the reader of standard error.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The queue has lines.
    filled: Condvar,
    /// All lines are written.
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    is_writing: bool,
}

impl Buffer {
    /// Begins to write.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(super) fn begin() -> io::Result<Self> {
        let buffer = Self::default();
        let writer = buffer.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.write_on())?;
        Ok(buffer)
    }

    /// Adds a line, or drops it when the queue is full. Never waits for the reader.
    pub(super) fn add(&self, line: &[u8]) {
        let mut state = self.state();
        if state.lines.len() + line.len() > BOUND {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        if was_empty {
            self.0.filled.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_on(&self) {
        let mut writing = Vec::new();
        let mut told = 0;
        loop {
            let mut state = self.state();
            state.is_writing = false;
            while state.lines.is_empty() {
                self.0.emptied.notify_all();
                let waited = self.0.filled.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            state.is_writing = true;
            drop(state);
            std::thread::sleep(COLLECT);
            std::mem::swap(&mut self.state().lines, &mut writing);
            // An error of a closed standard error cannot be reported.
            let _ = io::stderr().lock().write_all(&writing);
            writing.clear();
            let dropped = dropped_lines();
            if dropped > told {
                tracing::error!(
                    lines.dropped = dropped - told,
                    "log lines were dropped: nobody read standard error"
                );
                told = dropped;
            }
        }
    }
}

/// Waits a moment for the last lines when dropped.
pub(crate) struct LastLines(pub(super) Buffer);

impl Drop for LastLines {
    fn drop(&mut self) {
        let unwritten = |state: &mut State| state.is_writing || !state.lines.is_empty();
        let shared = &self.0.0;
        drop(
            shared
                .emptied
                .wait_timeout_while(self.0.state(), LAST_LINES, unwritten),
        );
    }
}

/// For lines that a library formats.
impl Write for Buffer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Buffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Writes a line to standard error at the end of the program; waits a moment for a slow reader.
pub(crate) fn last_words(line: String) {
    let (written, done) = std::sync::mpsc::channel();
    let writing = std::thread::Builder::new().spawn(move || {
        crate::output::tell!("{line}");
        let _ = written.send(());
    });
    if writing.is_ok() {
        let _ = done.recv_timeout(LAST_LINES);
    }
}
