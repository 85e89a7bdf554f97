//! JSON log lines, written without intermediate values: each call logs several.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use chrono::{DateTime, SubsecRound as _, Timelike as _, Utc};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::buffer::Buffer;

thread_local! {
    static LINE: RefCell<Line> = const { RefCell::new(Line::new()) };
}

/// The buffer of a line, and the formatted second of the last line, which most lines share.
struct Line {
    text: String,
    second: DateTime<Utc>,
    /// The formatted second, up to the point before its fraction.
    written: String,
}

impl Line {
    const fn new() -> Self {
        Self {
            text: String::new(),
            second: DateTime::UNIX_EPOCH,
            written: String::new(),
        }
    }

    /// Begins a line with a time: RFC 3339 with microseconds.
    fn begin(&mut self, now: DateTime<Utc>) {
        let second = now.trunc_subsecs(0);
        if self.written.is_empty() || self.second != second {
            self.second = second;
            self.written = second.format("%Y-%m-%dT%H:%M:%S.").to_string();
        }
        self.text.clear();
        push_all(&mut self.text, [r#"{"timestamp":"#, "\"", &self.written]);
        let micros = now.nanosecond() / 1_000 % 1_000_000;
        for place in (0..6).rev() {
            let digit = micros / 10_u32.pow(place) % 10;
            self.text.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        self.text.push_str("Z\",");
    }
}

/// Writes each event as one line: time, level, its fields, its source, and the innermost span with its
/// fields.
pub(super) struct JsonLines {
    buffer: Buffer,
}

/// A span's fields as members of a JSON object.
struct Members(String);

impl JsonLines {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { buffer }
    }
}

impl<S> Layer<S> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut members = String::with_capacity(64);
        attributes.record(&mut Writer(&mut members));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Members(members));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Members(members)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Writer(members));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        LINE.with(|line| {
            // A value that logs while it is printed finds the buffer borrowed.
            let Ok(mut line) = line.try_borrow_mut() else {
                return;
            };
            let metadata = event.metadata();
            #[expect(
                clippy::disallowed_methods,
                reason = "a line tells when it was written"
            )]
            line.begin(Utc::now());
            let line = &mut line.text;
            push_all(line, ["\"level\":\"", metadata.level().as_str(), "\","]);
            event.record(&mut Writer(line));
            push_all(line, ["\"target\":\"", metadata.target(), "\""]);
            if let Some(span) = context.event_span(event) {
                line.push_str(r#","span":{"#);
                if let Some(Members(members)) = span.extensions().get() {
                    line.push_str(members);
                }
                push_all(line, ["\"name\":\"", span.name(), "\"}"]);
            }
            line.push_str("}\n");
            self.buffer.add(line.as_bytes());
        });
    }
}

/// Appends members, each with a comma after it.
struct Writer<'a>(&'a mut String);

impl Writer<'_> {
    /// Names of fields, targets and spans are ours and need no escaping.
    fn name(&mut self, field: &Field) {
        push_all(self.0, ["\"", field.name(), "\":"]);
    }

    fn member(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.name(field);
        let _ = self.0.write_fmt(value);
        self.0.push(',');
    }

    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Escaped<'_>)) {
        self.name(field);
        self.0.push('"');
        write(&mut Escaped(self.0));
        self.0.push_str("\",");
    }
}

fn push_all<const N: usize>(text: &mut String, parts: [&str; N]) {
    for part in parts {
        text.push_str(part);
    }
}

impl Visit for Writer<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.member(field, format_args!("{value}"));
        } else {
            self.member(field, format_args!("null"));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |text| text.push(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, |text| {
            let _ = write!(text, "{value:?}");
        });
    }
}

/// Escapes what JSON does not allow in a string.
struct Escaped<'a>(&'a mut String);

impl Escaped<'_> {
    fn push(&mut self, text: &str) {
        let mut rest = text;
        // Only single-byte characters, so that no character is cut.
        let is_special = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
        while let Some(at) = rest.bytes().position(is_special) {
            let (plain, from) = rest.split_at(at);
            self.0.push_str(plain);
            match from.as_bytes()[0] {
                b'"' => self.0.push_str("\\\""),
                b'\\' => self.0.push_str("\\\\"),
                b'\n' => self.0.push_str("\\n"),
                b'\t' => self.0.push_str("\\t"),
                other => {
                    let _ = write!(self.0, "\\u{other:04x}");
                }
            }
            rest = &from[1..];
        }
        self.0.push_str(rest);
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds() {
        let mut line = Line::new();
        for (at, expected) in [
            (
                "2026-11-22T21:31:31.000042999Z",
                "2026-11-22T21:31:31.000042Z",
            ),
            ("2026-11-22T21:31:31.9Z", "2026-11-22T21:31:31.900000Z"),
            ("2026-11-22T21:31:32Z", "2026-11-22T21:31:32.000000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
        ] {
            line.begin(at.parse().unwrap());
            assert_eq!(line.text, format!("{{\"timestamp\":\"{expected}\","));
        }
    }

    #[test]
    fn texts_are_escaped() {
        let mut text = String::new();
        write!(Escaped(&mut text), "a\"b\\c\nd\u{1}é\t").unwrap();
        assert_eq!(text, "a\\\"b\\\\c\\nd\\u0001é\\t");
    }
}
