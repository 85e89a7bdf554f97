//! Lines of JSON, put together without anything in between: several are written for every call.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use chrono::{SecondsFormat, Utc};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::buffer::Buffer;

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Writes each event as one line: time, level, its fields, where it comes from, and the innermost
/// span with its fields.
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
            // A value whose printing logs something would find the line taken.
            let Ok(mut line) = line.try_borrow_mut() else {
                return;
            };
            line.clear();
            let metadata = event.metadata();
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            let level = metadata.level().as_str();
            let _ = write!(line, r#"{{"timestamp":"{now}","level":"{level}","#);
            event.record(&mut Writer(&mut line));
            let _ = write!(line, r#""target":"{}""#, metadata.target());
            if let Some(span) = context.event_span(event) {
                line.push_str(r#","span":{"#);
                if let Some(Members(members)) = span.extensions().get() {
                    line.push_str(members);
                }
                let _ = write!(line, r#""name":"{}"}}"#, span.name());
            }
            line.push_str("}\n");
            self.buffer.add(line.as_bytes());
        });
    }
}

/// Appends members, each with a comma after it.
struct Writer<'a>(&'a mut String);

impl Writer<'_> {
    fn member(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Names of fields are ours and need no escaping.
        let _ = write!(self.0, r#""{}":{value},"#, field.name());
    }

    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let _ = write!(self.0, r#""{}":""#, field.name());
        let _ = Escaped(self.0).write_fmt(value);
        self.0.push_str("\",");
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
        self.text(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }
}

/// Escapes what JSON does not allow in a string.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
            let (plain, from) = rest.split_at(at);
            self.0.push_str(plain);
            match from.as_bytes()[0] {
                b'"' => self.0.push_str("\\\""),
                b'\\' => self.0.push_str("\\\\"),
                b'\n' => self.0.push_str("\\n"),
                b'\t' => self.0.push_str("\\t"),
                other => write!(self.0, "\\u{other:04x}")?,
            }
            rest = &from[1..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let mut text = String::new();
        write!(Escaped(&mut text), "a\"b\\c\nd\u{1}é\t").unwrap();
        assert_eq!(text, "a\\\"b\\\\c\\nd\\u0001é\\t");
    }
}
