//! The options of a cluster.

use std::path::PathBuf;

/// The data that a crash may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// None: PostgreSQL's own settings. A commit is on the disk.
    Durable,
    /// With the machine, everything; with the server, the last commits. For tests that kill neither.
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
                // Files in the folder; a killed temporary cluster would leave shared memory behind.
                "dynamic_shared_memory_type=mmap",
            ],
        }
    }
}

/// The options of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The cluster's folder, created if necessary. `None`: a temporary one, removed at the end.
    pub dir: Option<PathBuf>,
    /// The data that a crash may lose.
    pub durability: Durability,
    /// The port on 127.0.0.1. `None`: a free one.
    pub port: Option<u16>,
}

impl Options {
    /// A cluster that keeps every commit.
    pub fn durable(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: Some(dir.into()),
            durability: Durability::Durable,
            port: None,
        }
    }

    /// A cluster for tests in this folder.
    pub fn fast(dir: impl Into<PathBuf>) -> Self {
        Self {
            durability: Durability::Fast,
            ..Self::durable(dir)
        }
    }

    /// A temporary cluster for tests.
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
