//! Stories that measure time: a program of its own, because cargo runs one after the other, and one story at a time,
//! so that no other test takes the processors meanwhile.

mod bulk;
mod many_endpoints;

use tokio::sync::Mutex;

/// Who measures.
static TURN: Mutex<()> = Mutex::const_new(());
