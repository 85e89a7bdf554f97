//! CSV: separators, encodings, and quotes that are not closed.

use std::io::{self, BufRead as _, BufReader, Read as _};

use csv::{ByteRecord, ReaderBuilder};

use crate::cells::{self, Cell, DateOrder, fields};
use crate::columns::{Column, check};
use crate::decoded::{Decoded, Encoding};
use crate::row::{Row, Unreadable};
use crate::{LONGEST_ROW, MOST_COLUMNS, Options, Refusal, Source};

/// How a table is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between cells.
    pub separator: u8,
    /// Its encoding.
    pub encoding: Encoding,
    /// Whether its first line names the separator (`sep=;`).
    pub says_separator: bool,
}

/// A table of text.
pub(crate) struct Sheet {
    reader: Option<csv::Reader<Decoded>>,
    dialect: Dialect,
    header: Vec<String>,
    columns: Vec<Column>,
    keep_cells: bool,
    record: ByteRecord,
    /// Whether lines end with a return and a feed. Of such an end csv has read the return only.
    has_returns: bool,
}

/// The separators that are tried, the likelier first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// How much of the beginning may be the line that names the separator.
const SEPARATOR_LINE: u64 = 16;

impl Sheet {
    pub(crate) fn open(
        source: Box<dyn Source>,
        options: &Options,
    ) -> Result<(Self, usize), Refusal> {
        let mut decoded = Decoded::begin(source)?;
        let said = said_separator(&mut decoded)?;
        decoded = decoded.again()?;
        let has_returns = has_returns(&mut decoded)?;
        let mut best: Option<(usize, u8, Vec<String>)> = None;
        let mut is_long = false;
        for separator in said.map_or(SEPARATORS.to_vec(), |said| vec![said]) {
            let mut reader = records(decoded.again()?, separator, said.is_some())?;
            let record = header(&mut reader)?;
            decoded = reader.into_inner();
            // With a wrong separator a header may be many of its lines, or columns.
            let Some(header) = names(&record) else {
                is_long = true;
                continue;
            };
            let known = header.iter().filter(|name| Column::of(name).is_known());
            let known = known.count();
            if best.as_ref().is_none_or(|(most, ..)| known > *most) {
                best = Some((known, separator, header));
            }
        }
        let best = best.filter(|(known, ..)| *known > 0 || !is_long);
        let (_, separator, header) = best.ok_or(match is_long {
            true => Refusal::LongHeader,
            false => Refusal::Empty,
        })?;
        if decoded.is_empty {
            return Err(Refusal::Empty);
        }
        let dialect = Dialect {
            separator,
            encoding: decoded.encoding,
            says_separator: said.is_some(),
        };
        let columns: Vec<Column> = header.iter().map(|name| Column::of(name)).collect();
        check(&header, &columns, options)?;
        let mut sheet = Self {
            reader: None,
            dialect,
            header,
            columns,
            keep_cells: options.keep_cells,
            record: ByteRecord::new(),
            has_returns,
        };
        sheet.begin(decoded)?;
        let rows = sheet.look_through(options)?;
        let decoded = sheet.reader.take().map(csv::Reader::into_inner);
        sheet.begin(decoded.ok_or(Refusal::Empty)?)?;
        Ok((sheet, rows))
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn next_row(&mut self, number: usize) -> io::Result<Option<Row>> {
        let Some(line) = self.next_record()? else {
            return Ok(None);
        };
        let content = match std::str::from_utf8(self.record.as_slice()) {
            Err(_) => Err(Unreadable::NotText),
            Ok(_) if self.record.as_slice().len() > LONGEST_ROW => Err(Unreadable::TooLong),
            Ok(_) => Ok(fields(&self.columns, self.cells())),
        };
        let cells = self.keep_cells.then(|| {
            let cells = self.record.iter().take(self.columns.len());
            // Bytes that are no text must not come back as one.
            let texts = cells.map(|cell| std::str::from_utf8(cell).unwrap_or_default());
            texts.map(str::to_owned).collect()
        });
        Ok(Some(Row {
            number,
            line,
            content,
            cells: cells.unwrap_or_default(),
        }))
    }

    /// Reads the next record that has something in a cell; its line.
    fn next_record(&mut self) -> io::Result<Option<usize>> {
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        while reader
            .read_byte_record(&mut self.record)
            .map_err(io_error)?
        {
            if is_blank(&self.record) {
                continue;
            }
            // What csv tells of a record's beginning is that of blank lines before it.
            let (end, text) = (reader.position(), reader.get_ref());
            let is_last = end.byte() == text.length && text.last != b'\n';
            let feeds = usize::from(!self.has_returns && !is_last) + feeds(&self.record);
            let line = usize::try_from(end.line()).unwrap_or(usize::MAX);
            let before = usize::from(self.dialect.says_separator);
            return Ok(Some(line.saturating_sub(feeds) + before));
        }
        Ok(None)
    }

    /// The cells of the record, whose text is known to be one, as far as the header goes.
    fn cells(&self) -> impl Iterator<Item = Cell> {
        let cells = self.record.iter().take(self.columns.len());
        let texts = cells.map(String::from_utf8_lossy);
        texts.map(|text| Cell::Text(text.into_owned()))
    }

    /// Begins with the first row behind the header.
    fn begin(&mut self, decoded: Decoded) -> io::Result<()> {
        let Dialect {
            separator,
            says_separator,
            ..
        } = self.dialect;
        let mut reader = records(decoded.again()?, separator, says_separator)?;
        header(&mut reader)?;
        self.reader = Some(reader);
        Ok(())
    }

    /// Reads all rows once: how many there are, and whether their dates begin with the day.
    fn look_through(&mut self, options: &Options) -> Result<usize, Refusal> {
        let (mut rows, mut order) = (0, DateOrder::default());
        // The line of the last row, where it has more than one.
        let mut spread = None;
        while let Some(line) = self.next_record()? {
            rows += 1;
            spread = (feeds(&self.record) > 0).then_some(line);
            if rows > options.most_rows {
                return Err(Refusal::TooManyRows {
                    most: options.most_rows,
                });
            }
            if std::str::from_utf8(self.record.as_slice()).is_ok() {
                let cells: Vec<Cell> = self.cells().collect();
                order.look(&self.columns, &cells);
            }
        }
        let is_odd = self
            .reader
            .as_ref()
            .is_some_and(|reader| reader.get_ref().quotes % 2 == 1);
        if let Some(line) = spread.filter(|_| is_odd) {
            return Err(Refusal::OpenQuote { line });
        }
        match order.found() {
            Some((column, example)) => Err(Refusal::DateOrder { column, example }),
            None => Ok(rows),
        }
    }
}

/// How many lines a record has beyond its first.
fn feeds(record: &ByteRecord) -> usize {
    record
        .as_slice()
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// Whether the first line ends with a return, too; true where there is but one.
fn has_returns(decoded: &mut Decoded) -> io::Result<bool> {
    let mut before = b'\r';
    let mut reader = BufReader::new(decoded);
    while let [byte, ..] = *reader.fill_buf()? {
        if byte == b'\n' {
            return Ok(before == b'\r');
        }
        before = byte;
        reader.consume(1);
    }
    Ok(true)
}

fn is_blank(record: &ByteRecord) -> bool {
    // Bytes that are no text are something.
    std::str::from_utf8(record.as_slice()).is_ok_and(cells::is_blank)
}

fn records(
    decoded: Decoded,
    separator: u8,
    says_separator: bool,
) -> io::Result<csv::Reader<Decoded>> {
    let mut decoded = decoded;
    if says_separator {
        skip_line(&mut decoded)?;
    }
    Ok(ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(decoded))
}

/// The first record that has something in a cell; empty where there is none.
fn header(reader: &mut csv::Reader<Decoded>) -> io::Result<ByteRecord> {
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(io_error)? {
        if !is_blank(&record) {
            return Ok(record);
        }
    }
    Ok(ByteRecord::new())
}

/// The names of a header; none where it is longer than one may be.
fn names(record: &ByteRecord) -> Option<Vec<String>> {
    let is_long = record.as_slice().len() > LONGEST_ROW || record.len() > MOST_COLUMNS;
    let names = record.iter().map(String::from_utf8_lossy);
    (!is_long).then(|| names.map(std::borrow::Cow::into_owned).collect())
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The separator that the first line names.
fn said_separator(decoded: &mut Decoded) -> io::Result<Option<u8>> {
    let mut line = Vec::new();
    BufReader::new(decoded.by_ref().take(SEPARATOR_LINE)).read_until(b'\n', &mut line)?;
    let line = line.trim_ascii_end();
    // Of a tab nothing is left behind the sign.
    let quoted = |line: &'_ [u8]| Some(line.strip_prefix(b"\"")?.strip_suffix(b"\"")?.to_vec());
    let line = quoted(line).unwrap_or_else(|| line.to_vec());
    let Some((name, said)) = line.split_at_checked(4) else {
        return Ok(None);
    };
    Ok(match said {
        _ if !name.eq_ignore_ascii_case(b"sep=") => None,
        [] => Some(b'\t'),
        [said] if said.is_ascii() && *said != b'"' => Some(*said),
        _ => None,
    })
}

fn skip_line(decoded: &mut Decoded) -> io::Result<()> {
    let mut byte = [0];
    while decoded.read(&mut byte)? == 1 && byte[0] != b'\n' {}
    decoded.length = 0;
    Ok(())
}
