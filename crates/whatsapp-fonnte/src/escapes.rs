//! The escapes in which a text may hold a key.

/// A way to escape a character.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Plain,
    Json,
    Percent,
    Html,
}

impl Form {
    /// All ways.
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Json, Self::Percent, Self::Html];

    /// The first character if it is ASCII, else its first byte; and its length.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<(u8, usize)> {
        let escaped = match self {
            Self::Plain => None,
            Self::Json => json_escape(bytes),
            Self::Percent => match bytes {
                [b'%', code @ ..] => code.get(..2).and_then(hex).map(|byte| (byte, 3)),
                _ => None,
            },
            Self::Html => html_entity(bytes),
        };
        escaped.or_else(|| Some((*bytes.first()?, 1)))
    }
}

/// Whether a text ends within a word; its last character may be escaped.
pub(crate) fn is_in_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escaped = match bytes {
        [.., b'%', high, low] => hex(&[*high, *low]),
        [.., b'\\', b'u', b'0', b'0', high, low] => hex(&[*high, *low]),
        _ => None,
    };
    match escaped {
        Some(byte) => byte.is_ascii_alphanumeric(),
        None => text.chars().next_back().is_some_and(char::is_alphanumeric),
    }
}

fn json_escape(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [b'\\', b'u', b'0', b'0', code @ ..] => Some((hex(code.get(..2)?)?, 6)),
        [b'\\', byte @ (b'"' | b'/' | b'\\'), ..] => Some((*byte, 2)),
        _ => None,
    }
}

fn html_entity(bytes: &[u8]) -> Option<(u8, usize)> {
    let [b'&', rest @ ..] = bytes else {
        return None;
    };
    let end = rest.iter().take(8).position(|byte| *byte == b';')?;
    let name = str::from_utf8(&rest[..end]).ok()?;
    let byte = match name {
        "amp" => b'&',
        "lt" => b'<',
        "gt" => b'>',
        "quot" => b'"',
        "apos" => b'\'',
        _ => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(digits) => u8::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            }
        }
    };
    Some((byte, end + 2))
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 16).ok()
}
