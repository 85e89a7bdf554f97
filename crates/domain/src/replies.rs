//! What customers write back, and who wants no messages any more.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::requests::RequestId;
use crate::values::{DealerId, Phone};

/// The reason of a message that is not sent because its recipient opted out.
pub const OPTED_OUT: &str = "the recipient opted out";

/// The most characters of a name, and of a note (chosen: those of a customer's name).
pub const LONGEST_NOTE: usize = 255;

/// The replies that opt a phone out, in capitals and with single blanks.
const OUT: [&str; 4] = ["STOP", "BERHENTI", "UNSUBSCRIBE", "STOP PESAN"];

/// The replies that opt it in again.
const IN: [&str; 2] = ["MULAI", "START"];

/// A private message of a person, as the provider reports it. `Debug` hides its text and masks its phone.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingReply {
    /// The sender's phone.
    pub phone: Phone,
    /// The name that the sender has in WhatsApp.
    pub name: Option<String>,
    /// The text; none for media without a caption.
    pub text: Option<String>,
    /// The provider's id of it.
    pub inbox_id: Option<String>,
    /// When it was written, by the provider's clock.
    pub written_at: Option<DateTime<Utc>>,
}

/// What a reply wants to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// No more messages of this dealer.
    OptOut,
    /// Messages again.
    OptIn,
}

impl Wish {
    /// What a text wants that is nothing else, in any case. White space, punctuation and format characters
    /// around it do not matter, and white space within it is one blank.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let words = text.trim_matches(is_around).split_whitespace();
        let plain = words.collect::<Vec<_>>().join(" ").to_uppercase();
        if OUT.contains(&plain.as_str()) {
            Some(Self::OptOut)
        } else if IN.contains(&plain.as_str()) {
            Some(Self::OptIn)
        } else {
            None
        }
    }
}

/// Whether a character around a word says nothing: no letter and no digit of any script, and no symbol.
fn is_around(c: char) -> bool {
    c.is_whitespace() || is_punctuation(c) || is_format(c)
}

/// The punctuation (Unicode categories Pc, Pd, Ps, Pe, Pi, Pf, Po) of the scripts that phones offer.
fn is_punctuation(c: char) -> bool {
    // ASCII counts `$+<=>^`|~` as punctuation, and Unicode as symbols; nobody means anything by them here.
    c.is_ascii_punctuation()
        || matches!(c,
            '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
            | '\u{37e}' | '\u{387}' | '\u{55a}'..='\u{55f}' | '\u{589}' | '\u{58a}' | '\u{5be}'
            | '\u{60c}' | '\u{60d}' | '\u{61b}' | '\u{61e}' | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}'
            | '\u{964}' | '\u{965}' | '\u{970}' | '\u{e4f}' | '\u{e5a}' | '\u{e5b}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
            | '\u{207d}' | '\u{207e}' | '\u{208d}' | '\u{208e}' | '\u{2308}'..='\u{230b}'
            | '\u{2329}' | '\u{232a}' | '\u{2768}'..='\u{2775}' | '\u{27e6}'..='\u{27ef}'
            | '\u{2983}'..='\u{2998}' | '\u{29d8}'..='\u{29db}' | '\u{2e00}'..='\u{2e5d}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '\u{3030}'
            | '\u{303d}' | '\u{30fb}' | '\u{a9c1}'..='\u{a9cd}' | '\u{fe10}'..='\u{fe19}'
            | '\u{fe30}'..='\u{fe6b}' | '\u{ff01}'..='\u{ff03}' | '\u{ff05}'..='\u{ff0a}'
            | '\u{ff0c}'..='\u{ff0f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff20}'
            | '\u{ff3b}'..='\u{ff3d}' | '\u{ff3f}' | '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff65}')
}

/// The format characters (Unicode category Cf), and the selectors that follow emoji and letters.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
        | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

impl IncomingReply {
    /// What it wants to be changed, if anything.
    #[must_use]
    pub fn wish(&self) -> Option<Wish> {
        self.text.as_deref().and_then(Wish::of)
    }

    /// The same for every report of the same reply to one dealer.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        if let Some(id) = &self.inbox_id {
            digest.update("id\0");
            digest.update(id);
        } else {
            digest.update("said\0");
            digest.update(self.phone.national());
            let at = self.written_at.map(|at| at.timestamp_micros());
            digest.update(format!("\0{at:?}\0{}\0", self.text.is_some()));
            digest.update(self.text.as_deref().unwrap_or_default());
        }
        digest.finalize().into()
    }

    /// Whether its fingerprint may be that of an earlier reply: nothing tells when it was written.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.inbox_id.is_none() && self.written_at.is_none()
    }
}

impl fmt::Debug for IncomingReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingReply")
            .field("phone", &self.phone)
            .field("written_at", &self.written_at)
            .finish_non_exhaustive()
    }
}

/// A place in a list of replies, opt-outs or deliveries. Later ones have greater values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListCursor(pub i64);

/// A stored reply. `Debug` hides its text and its phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its place in the lists.
    pub cursor: ListCursor,
    /// The id.
    pub id: Uuid,
    /// The dealer to whom it was written.
    pub dealer: DealerId,
    /// When it was stored, by the store's clock.
    pub at: DateTime<Utc>,
    /// The sender's phone, `08…`.
    pub phone: String,
    /// The sender's name in WhatsApp.
    pub name: Option<String>,
    /// The text; none for media without a caption.
    pub text: Option<String>,
    /// The request of that phone at this dealer that was the newest then.
    pub request: Option<RequestId>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// How somebody came to be opted out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutOrigin {
    /// By a reply.
    Reply,
    /// By a person with a key.
    Manual,
}

impl OptOutOrigin {
    /// The name in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Manual => "manual",
        }
    }

    /// The origin of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reply, Self::Manual]
            .into_iter()
            .find(|origin| origin.as_str() == name)
    }
}

/// A phone that gets no messages of a dealer. `Debug` hides the phone and the note.
#[derive(Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Its place in the lists.
    pub cursor: ListCursor,
    /// The dealer.
    pub dealer: DealerId,
    /// The phone, `08…`; none where the person was erased: it still gets no messages.
    pub phone: Option<String>,
    /// How it came to be.
    pub origin: OptOutOrigin,
    /// What the person with the key noted.
    pub note: Option<String>,
    /// When it was stored, by the store's clock.
    pub at: DateTime<Utc>,
}

impl fmt::Debug for OptOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptOut")
            .field("dealer", &self.dealer)
            .field("origin", &self.origin)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A confirmation of opting out or in that is to be sent. `Debug` masks the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The id.
    pub id: i64,
    /// The dealer.
    pub dealer: DealerId,
    /// Who gets it.
    pub phone: Phone,
    /// What was wanted, and done.
    pub wish: Wish,
    /// Since when it is due, by the store's clock.
    pub due_at: DateTime<Utc>,
    /// The time, by the store's clock.
    pub now: DateTime<Utc>,
}

impl Confirmation {
    /// Its text, which names the way back.
    #[must_use]
    pub fn text(&self, dealer_name: &str) -> String {
        match self.wish {
            Wish::OptOut => format!(
                "Anda tidak akan menerima pesan WhatsApp lagi dari {dealer_name}. Balas MULAI untuk menerimanya \
                 kembali."
            ),
            Wish::OptIn => format!(
                "Anda akan menerima pesan WhatsApp lagi dari {dealer_name}. Balas STOP untuk berhenti."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_the_whole_reply() {
        for text in [
            "STOP",
            "stop",
            " Stop. ",
            "\u{200b}Berhenti!\u{fe0f}",
            "*STOP*",
            "„Stop“",
            "unsubscribe",
            "stop\u{a0}\n pesan",
            "\u{202a}STOP\u{202c}",
            "(stop)",
            "STOP。",
        ] {
            assert_eq!(Wish::of(text), Some(Wish::OptOut), "{text:?}");
        }
        for text in ["MULAI", "start", "Mulai…", "\t start ?!"] {
            assert_eq!(Wish::of(text), Some(Wish::OptIn), "{text:?}");
        }
        for text in [
            "",
            "STOP IT",
            "jangan stop",
            "S T O P",
            "ST-OP",
            "STOPPESAN",
            "stop pesan ya",
            "👍",
            "1",
        ] {
            assert_eq!(Wish::of(text), None, "{text:?}");
        }
    }

    fn reply() -> IncomingReply {
        IncomingReply {
            phone: Phone::parse("082148523421").unwrap(),
            name: None,
            text: Some("ya".to_owned()),
            inbox_id: None,
            written_at: DateTime::from_timestamp(1_700_000_000, 0),
        }
    }

    #[test]
    fn the_same_reply_has_the_same_fingerprint() {
        let known = |id: &str| IncomingReply {
            inbox_id: Some(id.to_owned()),
            ..reply()
        };
        let renamed = IncomingReply {
            name: Some("Adit".to_owned()),
            ..reply()
        };
        assert_eq!(reply().fingerprint(), renamed.fingerprint());
        let retold = IncomingReply {
            text: None,
            ..known("7")
        };
        assert_eq!(known("7").fingerprint(), retold.fingerprint());
        let others = [
            known("7"),
            known("8"),
            IncomingReply {
                text: None,
                ..reply()
            },
            IncomingReply {
                text: Some(String::new()),
                ..reply()
            },
            IncomingReply {
                written_at: DateTime::from_timestamp(1_700_000_001, 0),
                ..reply()
            },
            IncomingReply {
                written_at: None,
                ..reply()
            },
        ];
        for other in others {
            assert_ne!(other.fingerprint(), reply().fingerprint(), "{other:?}");
        }
        assert_ne!(known("7").fingerprint(), known("8").fingerprint());
    }
}
