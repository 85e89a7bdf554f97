/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Its recipient reads it.
    Read,
    /// It arrives.
    Delivered,
    /// Its number is not on WhatsApp.
    Failed,
    /// The phone is off.
    Sent,
    /// The connection broke, and nobody knows.
    Unknown,
}

impl Fate {
    /// How far the simulator takes a message that it accepts.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Delivered => "delivered",
            Self::Failed => "invalid",
            Self::Sent | Self::Unknown => "sent",
        }
    }

    /// The `whatsapp_status` that comes of it.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Sent => "SENT",
            Self::Unknown => "ERROR",
        }
    }
}
