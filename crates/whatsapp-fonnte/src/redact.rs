//! Redacts an account's key in everything that is stored, logged or shown.

use std::borrow::Cow;

use crate::escapes::{Form, is_in_word};
use crate::quotes::without_quotes;

/// The longest reason, in characters (chosen).
const LONGEST_SENTENCE: usize = 300;

/// From this length on, a key is also found within words, and one within a JSON number or word hides that
/// whole value (chosen). A shorter key would garble other words: it is only found as a whole word, in texts
/// only.
const LONG_KEY: usize = 8;

/// Masks an account's key in every escaped form. `aho-corasick` finds fixed texts; here each character of the
/// key may be escaped or not, in 2^n ways.
pub(crate) struct Redactor<'a> {
    key: &'a str,
    mask: &'static str,
    /// The text of the message that an answer is about.
    message: &'a str,
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(key: &'a str) -> Self {
        // The mask and its neighbours must not form the key again.
        let mask = if key.contains('*') { "…" } else { "***" };
        Self {
            key,
            mask,
            message: "",
        }
    }

    /// The same for texts about a message, whose own words are masked as well.
    pub(crate) fn about(self, message: &'a str) -> Self {
        Self { message, ..self }
    }

    /// A text without the key, plain or escaped as in JSON, a URL or HTML, and without NUL, which no database
    /// stores.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut clean = String::new();
        let mut copied = 0;
        let mut at = 0;
        while at < text.len() {
            let (found, mask) = match self.key_at(text, at) {
                Some(length) => (length, self.mask),
                None if text.as_bytes()[at] == 0 => (1, "\u{fffd}"),
                None => {
                    at += 1;
                    continue;
                }
            };
            clean.push_str(&text[copied..at]);
            clean.push_str(mask);
            at += found;
            copied = at;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[copied..]);
        Cow::Owned(clean)
    }

    /// A JSON text without the key. Only texts change, so that it stays JSON with the same members in the
    /// same order.
    pub(crate) fn json(&self, json: &str) -> String {
        let mut clean = String::with_capacity(json.len());
        let mut rest = json;
        while !rest.is_empty() {
            let (token, tail) = rest.split_at(token_length(rest));
            let first = token.as_bytes()[0];
            if first == b'"' {
                self.push_json_text(&mut clean, token);
            } else if is_word(first) && self.key.len() >= LONG_KEY && token.contains(self.key) {
                push_quoted(&mut clean, self.mask);
            } else {
                clean.push_str(token);
            }
            rest = tail;
        }
        clean
    }

    /// A reason for logs and answers: one line, without the key and the message's words, of limited length.
    pub(crate) fn sentence(&self, text: &str) -> String {
        self.sentence_after("", text)
    }

    /// The same after a text of our own.
    pub(crate) fn sentence_after(&self, own: &str, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line: String = words
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let line = self.text(&line);
        let line = without_quotes(&line, self.message, self.mask);
        // Cutting comes last: half a key would not be recognised.
        own.chars()
            .chain(line.chars())
            .take(LONGEST_SENTENCE)
            .collect()
    }

    fn push_json_text(&self, clean: &mut String, token: &str) {
        // Without escapes the token is its own text.
        let plain = token
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        if let Some(plain) = plain.filter(|plain| !plain.contains('\\'))
            && let Cow::Borrowed(_) = self.text(plain)
        {
            clean.push_str(token);
            return;
        }
        match serde_json::from_str::<String>(token) {
            Ok(text) => match self.text(&text) {
                Cow::Borrowed(_) => clean.push_str(token),
                Cow::Owned(text) => push_quoted(clean, &text),
            },
            // Half a surrogate pair is unreadable, and PostgreSQL refuses it.
            Err(_) => push_quoted(clean, "\u{fffd}"),
        }
    }

    /// The bytes of the key at this place, if it stands there.
    fn key_at(&self, text: &str, at: usize) -> Option<usize> {
        let bytes = &text.as_bytes()[at..];
        let first = *self.key.as_bytes().first()?;
        // The fast path: the first byte cannot begin the key.
        if bytes[0] != first && !matches!(bytes[0], b'\\' | b'%' | b'&') {
            return None;
        }
        Form::ALL
            .into_iter()
            .find_map(|form| {
                self.key.bytes().try_fold(0, |at, expected| {
                    let (found, length) = form.read(&bytes[at..])?;
                    (found == expected).then_some(at + length)
                })
            })
            .filter(|length| self.key.len() >= LONG_KEY || self.is_word(text, at, *length))
    }

    /// Whether the key at these bytes is no part of a longer word.
    fn is_word(&self, text: &str, at: usize, length: usize) -> bool {
        let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let before = text.get(..at).is_some_and(is_in_word);
        let after = text.get(at + length..).and_then(|rest| rest.chars().next());
        !(before && letter(self.key.bytes().next())
            || after.is_some_and(char::is_alphanumeric) && letter(self.key.bytes().next_back()))
    }
}

/// The length of the first token of a valid JSON text: a quoted text, a number or word, or one
/// character.
fn token_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    if bytes[0] == b'"' {
        let mut escaped = false;
        for (at, byte) in bytes.iter().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return at + 1,
                _ => {}
            }
        }
        return json.len();
    }
    if is_word(bytes[0]) {
        return bytes
            .iter()
            .position(|byte| !is_word(*byte))
            .unwrap_or(json.len());
    }
    json.chars().next().map_or(1, char::len_utf8)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

fn push_quoted(json: &mut String, text: &str) {
    json.push_str(&quoted(text));
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The start of a text, at most `limit` bytes.
pub(crate) fn start_of(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "aB3+@#/\"x&";

    fn json(key: &str, text: &str) -> String {
        Redactor::new(key).json(text)
    }

    #[test]
    fn the_key_is_replaced_in_every_way_to_write_it() {
        let redactor = Redactor::new(KEY);
        for written in [
            "aB3+@#/\"x&",
            "aB3+@#/\\\"x&",
            "aB3+@#\\/\\\"x\\u0026",
            "aB3\\u002b\\u0040\\u0023\\u002F\\u0022x\\u0026",
            "aB3%2B%40%23%2F%22x%26",
            "aB3%2b@%23/%22x%26",
            "%61%42%33%2B%40%23%2F%22%78%26",
            "aB3+@#/&quot;x&amp;",
            "aB3&#43;&#x40;&#35;/&#34;x&#X26;",
        ] {
            assert_eq!(redactor.text(&format!("<{written}>")), "<***>", "{written}");
        }
        assert_eq!(redactor.text("aB3+@#/\"x"), "aB3+@#/\"x");
        assert_eq!(redactor.text("nothing % & \\ here"), "nothing % & \\ here");
    }

    #[test]
    fn a_short_key_and_a_key_of_stars_are_replaced_too() {
        assert_eq!(Redactor::new("1").text("1 a1 (1)"), "*** a1 (***)");
        assert_eq!(Redactor::new("**").text("a***b"), "a…*b");
        assert_eq!(Redactor::new("a***b").text("a a***b b"), "a … b");
        assert_eq!(Redactor::new("").text("ab"), "ab");
    }

    #[test]
    fn a_short_key_is_only_found_as_a_whole_word() {
        for (key, text, clean) in [
            ("k", "token invalid", "token invalid"),
            ("k", "token k invalid", "token *** invalid"),
            ("k", "k", "***"),
            ("k", "kk ké ék k", "kk ké ék ***"),
            ("k", "a%20k%20b", "a%20***%20b"),
            ("k", "%74%6f%6b%65%6e %6b", "%74%6f%6b%65%6e ***"),
            ("k", "\\u0020k \\u0061k", "\\u0020*** \\u0061k"),
            ("k", "token=k&x=1", "token=***&x=1"),
            ("invalid", "token invalid", "token ***"),
            ("invalid", "invalidated", "invalidated"),
            ("-k-", "a-k-b", "a***b"),
            ("1234567", "12345678", "12345678"),
            ("12345678", "012345678", "0***"),
        ] {
            assert_eq!(Redactor::new(key).text(text), clean, "{key} in {text}");
        }
    }

    #[test]
    fn json_stays_json_and_keeps_its_order_and_numbers() {
        let answer = r#"{ "z":true,"id":[142223099, "1true"],"a":"x1","n":1e999,"é":"\u0031" }"#;
        assert_eq!(
            json("1", answer),
            r#"{ "z":true,"id":[142223099, "1true"],"a":"x1","n":1e999,"é":"***" }"#
        );
        assert_eq!(
            json("true", r#"{"a":true,"true":"true"}"#),
            r#"{"a":true,"***":"***"}"#
        );
        assert_eq!(json("nowhere", answer), answer);
    }

    #[test]
    fn a_long_key_hides_the_number_it_stands_in() {
        assert_eq!(
            json("1234567890", r#"{"token":1234567890}"#),
            r#"{"token":"***"}"#
        );
        assert_eq!(json("1234567", r#"{"id":1234567}"#), r#"{"id":1234567}"#);
    }

    #[test]
    fn what_no_database_takes_is_replaced() {
        assert_eq!(json("k", r#"{"a":"x\u0000"}"#), "{\"a\":\"x\u{fffd}\"}");
        assert_eq!(json("k", r#"{"a":"\ud800"}"#), "{\"a\":\"\u{fffd}\"}");
        assert_eq!(Redactor::new("k").text("a\0"), "a\u{fffd}");
    }

    #[test]
    fn a_sentence_is_one_short_line_without_the_key() {
        let redactor = Redactor::new("secret-key");
        assert_eq!(redactor.sentence("a\r\n\tb\u{7} \u{1b}[1m"), "a b [1m");
        assert_eq!(redactor.sentence("my sec\u{0}ret-key"), "my ***");
        let long = format!("{}secret-key", "x".repeat(LONGEST_SENTENCE - 3));
        assert!(redactor.sentence(&long).ends_with("x***"));
        assert_eq!(redactor.sentence(&"é".repeat(999)).chars().count(), 300);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(start_of("aéb", 2), "a");
        assert_eq!(start_of("aéb", 3), "aé");
        assert_eq!(start_of("ab", 9), "ab");
    }

    /// A separator between a key and its neighbours that lets the key be found.
    fn gap(key: &str) -> &'static str {
        if key.len() < LONG_KEY { " " } else { "" }
    }

    fn survives(clean: &str, key: &str) -> bool {
        if key.len() < LONG_KEY {
            clean.split_whitespace().any(|word| word == key)
        } else {
            clean.contains(key)
        }
    }

    proptest! {
        #[test]
        fn the_key_never_survives(
            key in "[!-~]{1,20}",
            before in "\\PC{0,20}",
            after in "\\PC{0,20}",
            encode in 0..4,
        ) {
            let written = match encode {
                0 => key.clone(),
                1 => quoted(&key).trim_matches('"').to_owned(),
                2 => key.bytes().map(|b| format!("%{b:02x}")).collect(),
                _ => key.bytes().map(|b| format!("\\u00{b:02X}")).collect(),
            };
            let redactor = Redactor::new(&key);
            let gap = gap(&key);
            let text = format!("{before}{gap}{written}{gap}{after}");
            let clean = redactor.text(&text).into_owned();
            prop_assert!(!survives(&clean, &key), "{clean}");
            prop_assert!(!redactor.sentence(&written).contains(&key));
        }

        #[test]
        fn no_text_of_the_json_has_the_key(
            key in "[!-~]{1,20}",
            name in "\\PC{0,8}",
            before in "\\PC{0,8}",
            number in any::<u128>(),
        ) {
            let body = format!(
                "{{{}:[{},{number},true]}}",
                quoted(&format!("{name}{}{key}", gap(&key))),
                quoted(&format!("{before}{}{key}", gap(&key))),
            );
            let clean: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&json(&key, &body)).unwrap();
            let (name, value) = clean.iter().next().unwrap();
            prop_assert!(!survives(name, &key));
            prop_assert!(!survives(value[0].as_str().unwrap(), &key));
        }
    }
}
