//! Which cluster to run, and how.

use std::path::PathBuf;

/// What a crash may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: PostgreSQL's own settings. A commit is on the disk.
    Durable,
    /// A crash of the machine, everything; a kill of the server, the last commits. For tests that do neither.
    Fast,
}

impl Durability {
    pub(crate) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Durable => &[],
            Self::Fast => &[
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                // Files in the folder instead of shared memory, which a killed temporary cluster would leave.
                "dynamic_shared_memory_type=mmap",
            ],
        }
    }
}

/// Which cluster to run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The cluster's folder, made when it does not exist. `None`: a temporary one, removed at the end.
    pub dir: Option<PathBuf>,
    /// What a crash may cost.
    pub durability: Durability,
    /// The port on 127.0.0.1. `None`: a free one.
    pub port: Option<u16>,
}

impl Options {
    /// A cluster that keeps what it was given.
    pub fn durable(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: Some(dir.into()),
            durability: Durability::Durable,
            port: None,
        }
    }

    /// A cluster for tests in a folder of its own.
    pub fn fast(dir: impl Into<PathBuf>) -> Self {
        Self {
            durability: Durability::Fast,
            ..Self::durable(dir)
        }
    }

    /// A cluster for tests that leaves nothing behind.
    pub fn temporary() -> Self {
        Self {
            dir: None,
            durability: Durability::Fast,
            port: None,
        }
    }

    /// The same on this port.
    pub fn on_port(self, port: u16) -> Self {
        Self {
            port: Some(port),
            ..self
        }
    }
}
