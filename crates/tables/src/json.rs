//! JSON: arrays, of which an element at a time is in memory, and lines.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};

use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use crate::row::{Fields, Row, Unreadable};
use crate::{BYTE_ORDER_MARK, LONGEST_ROW, Options, Refusal, Source};

const MARK: &[u8] = BYTE_ORDER_MARK.as_bytes();

/// What `serde_json` says of a word that is neither `true` nor `false` nor `null`.
const MISSPELT: &str = "expected ident";

/// Where the JSON of these bytes breaks off, in characters from 0.
#[must_use]
pub fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    let line_start = bytes
        .split_inclusive(|b| *b == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let mut end = (line_start + error.column()).min(bytes.len());
    if !error.is_eof() {
        // The column counts the faulty byte itself.
        end = end.saturating_sub(1);
    }
    if reason(error) == MISSPELT {
        // The fault is found within or after a word such as `nope` that is faulty as a whole.
        while end > 0 && bytes[end - 1].is_ascii_alphabetic() {
            end -= 1;
        }
    }
    String::from_utf8_lossy(&bytes[..end]).chars().count()
}

/// What is wrong, without the place that [`offset`] tells.
#[must_use]
pub fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The beginning of the text, behind a mark.
fn begin(mut source: Box<dyn Source>) -> io::Result<BufReader<Box<dyn Source>>> {
    source.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(source);
    let is_marked = reader.fill_buf()?.starts_with(MARK);
    reader.consume(if is_marked { MARK.len() } else { 0 });
    Ok(reader)
}

/// A row of JSON text; `text` is what of it is kept.
fn row(number: usize, line: usize, text: &[u8]) -> Row {
    let content = if text.len() > LONGEST_ROW {
        Err(Unreadable::TooLong)
    } else {
        match serde_json::from_slice(text) {
            Ok(Value::Object(values)) => Ok(Fields {
                values,
                ..Fields::default()
            }),
            Ok(other) => Err(Unreadable::NotAnObject(other)),
            Err(error) => Err(Unreadable::NotJson {
                offset: offset(text, &error),
                reason: reason(&error),
            }),
        }
    };
    Row {
        number,
        line,
        content,
        cells: Vec::new(),
    }
}

/// Objects, one a line.
pub(crate) struct Lines {
    reader: BufReader<Box<dyn Source>>,
    line: usize,
}

impl Lines {
    pub(crate) fn open(
        source: Box<dyn Source>,
        options: &Options,
    ) -> Result<(Self, usize), Refusal> {
        let mut lines = Self {
            reader: begin(source)?,
            line: 0,
        };
        if lines.reader.fill_buf()?.is_empty() {
            return Err(Refusal::Empty);
        }
        let mut rows = 0;
        while lines.next_line()?.is_some() {
            rows += 1;
            if rows > options.most_rows {
                return Err(Refusal::TooManyRows {
                    most: options.most_rows,
                });
            }
        }
        let reader = begin(lines.reader.into_inner())?;
        Ok((Self { reader, line: 0 }, rows))
    }

    pub(crate) fn next_row(&mut self, number: usize) -> io::Result<Option<Row>> {
        let text = self.next_line()?;
        Ok(text.map(|text| row(number, self.line, &text)))
    }

    /// The next line that is not blank, or so much of it that it is too long.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut text = Vec::new();
            let most = LONGEST_ROW as u64 + 2;
            let length = self
                .reader
                .by_ref()
                .take(most)
                .read_until(b'\n', &mut text)?;
            if length == 0 {
                return Ok(None);
            }
            self.line += 1;
            if text.last() != Some(&b'\n') && length as u64 == most {
                self.reader.skip_until(b'\n')?;
            }
            let text = text.trim_ascii();
            if !text.is_empty() {
                return Ok(Some(text.to_vec()));
            }
        }
    }
}

/// An array, known to be JSON.
pub(crate) struct Array {
    reader: BufReader<Box<dyn Source>>,
}

/// A sequence whose elements are counted, up to one more than there may be.
struct Count {
    most: usize,
}

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
            if count > self.most {
                return Err(A::Error::custom(TOO_MANY));
            }
        }
        Ok(count)
    }
}

/// By these words the error of too many elements is known again.
const TOO_MANY: &str = "too many rows";

impl Array {
    pub(crate) fn open(
        source: Box<dyn Source>,
        options: &Options,
    ) -> Result<(Self, usize), Refusal> {
        let mut reader = begin(source)?;
        if reader.fill_buf()?.is_empty() {
            return Err(Refusal::Empty);
        }
        let first = skip_blanks(&mut reader)?;
        let mut reader = begin(reader.into_inner())?;
        if first != Some(b'[') {
            return Err(no_array(reader)?);
        }
        let counted = count(&mut reader, options.most_rows);
        let mut reader = begin(reader.into_inner())?;
        match counted {
            Ok(rows) => {
                skip_blanks(&mut reader)?;
                reader.consume(1);
                Ok((Self { reader }, rows))
            }
            Err(error) if error.is_io() => Err(Refusal::Io(error.into())),
            Err(error) if reason(&error) == TOO_MANY => Err(Refusal::TooManyRows {
                most: options.most_rows,
            }),
            Err(error) => Err(not_json(reader, &error)?),
        }
    }

    pub(crate) fn next_row(&mut self, number: usize) -> io::Result<Option<Row>> {
        let element = element(&mut self.reader)?;
        Ok(element.map(|text| row(number, number, &text)))
    }
}

fn count(reader: &mut impl io::Read, most: usize) -> serde_json::Result<usize> {
    let mut json = serde_json::Deserializer::from_reader(reader);
    let rows = json.deserialize_seq(Count { most })?;
    json.end()?;
    Ok(rows)
}

/// Why something that does not begin like an array is none.
fn no_array(reader: BufReader<Box<dyn Source>>) -> io::Result<Refusal> {
    let mut reader = reader;
    let mut text = Vec::new();
    reader
        .by_ref()
        .take(LONGEST_ROW as u64 + 1)
        .read_to_end(&mut text)?;
    if text.len() > LONGEST_ROW {
        // It is not repeated, and need not be read to its end.
        return Ok(Refusal::NotAnArray(Value::Null));
    }
    Ok(match serde_json::from_slice(&text) {
        Ok(Value::Null) => Refusal::Empty,
        Ok(value) => Refusal::NotAnArray(value),
        Err(error) => Refusal::NotJson {
            offset: offset(&text, &error),
            reason: reason(&error),
        },
    })
}

/// Where a long text is not JSON: only so much of it is read again.
fn not_json(reader: BufReader<Box<dyn Source>>, error: &serde_json::Error) -> io::Result<Refusal> {
    let mut reader = reader;
    let (mut characters, mut word) = (0, 0);
    let (mut line, mut column) = (1, 0);
    let end = if error.is_eof() { 0 } else { 1 };
    let place = (error.line(), error.column());
    while let Some(byte) = next_byte(&mut reader)?
        && (line, column + end) < place
    {
        // Bytes that continue a character are not counted.
        characters += usize::from(byte & 0xc0 != 0x80);
        word = if byte.is_ascii_alphabetic() {
            word + 1
        } else {
            0
        };
        (line, column) = if byte == b'\n' {
            (line + 1, 0)
        } else {
            (line, column + 1)
        };
    }
    let reason = reason(error);
    if reason == MISSPELT {
        characters -= word;
    }
    Ok(Refusal::NotJson {
        offset: characters,
        reason,
    })
}

fn next_byte(reader: &mut BufReader<Box<dyn Source>>) -> io::Result<Option<u8>> {
    let byte = reader.fill_buf()?.first().copied();
    reader.consume(usize::from(byte.is_some()));
    Ok(byte)
}

/// Passes over blanks; the byte that follows, which stays.
fn skip_blanks(reader: &mut BufReader<Box<dyn Source>>) -> io::Result<Option<u8>> {
    loop {
        match reader.fill_buf()?.first() {
            Some(byte) if byte.is_ascii_whitespace() => reader.consume(1),
            other => return Ok(other.copied()),
        }
    }
}

/// The text of the next element of an array that is JSON, or so much of it that it is too long.
fn element(reader: &mut BufReader<Box<dyn Source>>) -> io::Result<Option<Vec<u8>>> {
    if skip_blanks(reader)? == Some(b',') {
        reader.consume(1);
        skip_blanks(reader)?;
    }
    let (mut text, mut depth) = (Vec::new(), 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    loop {
        let Some(byte) = reader.fill_buf()?.first().copied() else {
            return Ok(None);
        };
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else {
            match byte {
                b'"' => in_string = true,
                b'[' | b'{' => depth += 1,
                b',' | b']' if depth == 0 => break,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
        }
        reader.consume(1);
        if text.len() <= LONGEST_ROW {
            text.push(byte);
        }
    }
    let text = text.trim_ascii();
    Ok((!text.is_empty()).then(|| text.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> usize {
        let error = serde_json::from_str::<Value>(text).unwrap_err();
        offset(text.as_bytes(), &error)
    }

    #[test]
    fn offsets_count_characters_to_the_faulty_one() {
        assert_eq!(place("{"), 1);
        assert_eq!(place("not json"), 0);
        assert_eq!(place(r#"{"a": x}"#), 6);
        assert_eq!(place(r#"{"a":1,}"#), 7);
        assert_eq!(place("{\n  \"é\": nope\n}"), 9);
        assert_eq!(place(r#"{"é" 1}"#), 5);
        assert_eq!(place(r#"{"a":1} x"#), 8);
        assert_eq!(place(r#"{"a":tru}"#), 5);
        assert_eq!(place(r#"{"a":truex}"#), 9);
        assert_eq!(place(r#"{"a":"x\ud800zzz"}"#), 13);
    }

    #[test]
    fn an_array_breaks_off_where_a_value_would() {
        for text in [
            "[",
            "[{\"a\": x}]",
            "[\n {\"é\": nope\n}]",
            "[{\"é\" 1}]",
            "[1] x",
            "[1,]",
            "[tru]",
            "[truex]",
            "[{}\n\n, {\"é\":1,}]",
        ] {
            let source = Box::new(io::Cursor::new(text.to_owned()));
            let options = Options {
                most_rows: 9,
                most_unpacked: 0,
                has_dealer: false,
                keep_cells: false,
            };
            let Err(Refusal::NotJson { offset, .. }) =
                Array::open(source, &options).map(|(_, rows)| rows)
            else {
                panic!("{text} is no JSON");
            };
            assert_eq!(offset, place(text), "{text}");
        }
    }

    #[test]
    fn the_reason_does_not_repeat_the_place() {
        let error = serde_json::from_str::<Value>("{").unwrap_err();
        assert_eq!(reason(&error), "EOF while parsing an object");
    }
}
