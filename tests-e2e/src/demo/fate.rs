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
}

impl Fate {
    /// How far the simulator takes a message.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Delivered => "delivered",
            Self::Failed => "invalid",
            Self::Sent => "sent",
        }
    }

    /// The `whatsapp_status` that comes of it.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Sent => "SENT",
        }
    }
}
