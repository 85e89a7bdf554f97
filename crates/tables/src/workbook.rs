//! The first sheet of an Excel workbook. Formulas are their last results; macros, external links and all
//! other sheets are not looked at.

use std::cell::Cell as Flag;
use std::collections::VecDeque;
use std::io::{Read, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, Xlsx, XlsxError};
use chrono::{NaiveDateTime, TimeDelta, Timelike as _};
use zip::ZipArchive;

use crate::cells::{Cell, DateOrder, fields};
use crate::columns::{Column, check};
use crate::row::Row;
use crate::{MOST_COLUMNS, Options, Refusal, Source};

/// The most cells of a sheet, and texts of a workbook. Each costs memory, however little of the file it is, and so do
/// empty cells before one that is kept.
const MOST_CELLS: usize = 2_000_000;
const MOST_TEXTS: u64 = 1_000_000;

/// The most files in a workbook.
const MOST_FILES: usize = 2_000;

/// The attribute by which calamine reserves memory for texts.
const COUNT: &[u8] = b"uniqueCount";

/// A sheet, of which the cells under known headers are kept.
pub(crate) struct Sheet {
    header: Vec<String>,
    columns: Vec<Column>,
    rows: VecDeque<Numbered>,
    keep_cells: bool,
}

/// A row of the sheet with its number there, from 1.
type Numbered = (usize, Vec<Cell>);

thread_local! {
    static READS: Flag<bool> = const { Flag::new(false) };
}

/// Whether this thread reads a workbook: a panic then is the workbook's fault, is caught, and need not be logged.
#[must_use]
pub fn reads_workbook() -> bool {
    READS.get()
}

impl Sheet {
    pub(crate) fn open(
        source: Box<dyn Source>,
        options: &Options,
    ) -> Result<(Self, usize), Refusal> {
        let source = measure(source, options.most_unpacked)?;
        // A workbook that nobody foresaw must not end the thread.
        READS.set(true);
        let read = catch_unwind(AssertUnwindSafe(|| read(source, options)));
        READS.set(false);
        let (header, columns, rows) = read.unwrap_or(Err(Refusal::NotAWorkbook))?;
        let count = rows.len();
        let sheet = Self {
            header,
            columns,
            rows,
            keep_cells: options.keep_cells,
        };
        Ok((sheet, count))
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn next_row(&mut self, number: usize) -> Option<Row> {
        let (line, cells) = self.rows.pop_front()?;
        let kept = self.keep_cells.then(|| {
            let shown = |(column, cell): (&Column, &Cell)| match column {
                Column::Named(name) => cell.shown_under(name),
                Column::Variable(_) | Column::Other => cell.shown(),
            };
            self.columns.iter().zip(&cells).map(shown).collect()
        });
        Some(Row {
            number,
            line,
            content: Ok(fields(&self.columns, cells)),
            cells: kept.unwrap_or_default(),
        })
    }
}

/// Unpacks all of it without keeping any, because what a workbook says about its sizes may be wrong.
fn measure(mut source: Box<dyn Source>, most: u64) -> Result<Box<dyn Source>, Refusal> {
    source.seek(SeekFrom::Start(0))?;
    let mut start = [0];
    if source.read(&mut start)? == 0 {
        return Err(Refusal::Empty);
    }
    source.seek(SeekFrom::Start(0))?;
    let mut archive = ZipArchive::new(source).map_err(|_| Refusal::NotAWorkbook)?;
    if archive.len() > MOST_FILES {
        return Err(Refusal::NotAWorkbook);
    }
    let mut left = most;
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).map_err(|_| Refusal::NotAWorkbook)?;
        let name = file.name().map_err(|_| Refusal::NotAWorkbook)?;
        let is_xml = name.to_ascii_lowercase().ends_with(".xml");
        let mut look = Look::default();
        let mut piece = [0; 16 * 1024];
        loop {
            let length = file.read(&mut piece).map_err(|_| Refusal::NotAWorkbook)?;
            if length == 0 {
                break;
            }
            left = left
                .checked_sub(length as u64)
                .ok_or(Refusal::TooLarge { most })?;
            let piece = &piece[..length];
            if is_xml && piece.iter().any(|byte| is_control(*byte)) {
                return Err(Refusal::NotAWorkbook);
            }
            look.at(piece);
        }
        if look.texts > MOST_TEXTS {
            return Err(Refusal::TooLarge { most });
        }
    }
    Ok(archive.into_inner())
}

/// Whether a byte is in no XML but of encodings in which names of attributes are not their ASCII bytes; no
/// spreadsheet writes these.
fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// Looks for how many texts a part says to have: calamine reserves memory for as many.
#[derive(Default)]
struct Look {
    /// How much of the attribute's name was seen.
    seen: usize,
    /// Whether digits may follow.
    counts: bool,
    digits: u64,
    texts: u64,
}

impl Look {
    fn at(&mut self, piece: &[u8]) {
        for byte in piece {
            if self.counts {
                match byte {
                    b'0'..=b'9' => {
                        let digit = u64::from(byte - b'0');
                        self.digits = self.digits.saturating_mul(10).saturating_add(digit);
                        self.texts = self.texts.max(self.digits);
                    }
                    b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n' if self.digits == 0 => {}
                    _ => self.counts = false,
                }
            }
            self.seen = match COUNT.get(self.seen) {
                Some(next) if next == byte => self.seen + 1,
                _ => usize::from(COUNT.first() == Some(byte)),
            };
            if self.seen == COUNT.len() {
                (self.seen, self.counts, self.digits) = (0, true, 0);
            }
        }
    }
}

type Contents = (Vec<String>, Vec<Column>, VecDeque<Numbered>);

fn read(source: Box<dyn Source>, options: &Options) -> Result<Contents, Refusal> {
    let mut workbook: Xlsx<_> = Xlsx::new(source).map_err(|_| Refusal::NotAWorkbook)?;
    let first = workbook
        .sheets_metadata()
        .iter()
        .find(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .ok_or(Refusal::NotAWorkbook)?;
    let mut cells = workbook
        .worksheet_cells_reader(&first)
        .map_err(|_| Refusal::NotAWorkbook)?;
    let mut rows = Rows::new(options);
    let mut count = 0;
    loop {
        match cells.next_cell() {
            Ok(None) => break,
            // The position of an error that calamine does not know is lost; its cell is as if empty.
            Err(XlsxError::CellError(_)) => {}
            Err(_) => return Err(Refusal::NotAWorkbook),
            Ok(Some(cell)) => rows.add(cell.get_position(), cell.get_value())?,
        }
        count += 1;
        if count > MOST_CELLS {
            return Err(Refusal::TooLarge {
                most: options.most_unpacked,
            });
        }
    }
    rows.finish()
}

/// Gathers cells into rows.
struct Rows<'a> {
    options: &'a Options,
    header: Vec<String>,
    columns: Vec<Column>,
    rows: VecDeque<Numbered>,
    /// The row that cells are added to, from 0.
    at: u32,
    current: Vec<Cell>,
    /// How many cells are kept, with the empty ones between them.
    cells: usize,
    /// How many bytes of text are kept.
    kept: u64,
    order: DateOrder,
}

impl<'a> Rows<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            options,
            header: Vec::new(),
            columns: Vec::new(),
            rows: VecDeque::new(),
            at: 0,
            current: Vec::new(),
            cells: 0,
            kept: 0,
            order: DateOrder::default(),
        }
    }

    fn add(&mut self, (row, column): (u32, u32), value: &DataRef<'_>) -> Result<(), Refusal> {
        if row != self.at {
            self.end_row()?;
            if row < self.at {
                // Rows that go back are of no program that writes workbooks.
                return Err(Refusal::NotAWorkbook);
            }
            self.at = row;
        }
        let column = column as usize;
        let is_kept = if self.columns.is_empty() {
            column < MOST_COLUMNS
        } else {
            let column = self.columns.get(column);
            self.options.keep_cells && column.is_some() || column.is_some_and(Column::is_known)
        };
        let Some(cell) = cell(value).filter(|_| is_kept) else {
            return Ok(());
        };
        if let Cell::Text(text) = &cell {
            self.kept += text.len() as u64;
            if self.kept > self.options.most_unpacked / 2 {
                // The same text may stand in many cells.
                return Err(Refusal::TooLarge {
                    most: self.options.most_unpacked,
                });
            }
        }
        if self.current.len() <= column {
            self.cells += column + 1 - self.current.len();
            if self.cells > MOST_CELLS {
                return Err(Refusal::TooLarge {
                    most: self.options.most_unpacked,
                });
            }
            self.current
                .resize_with(column + 1, || Cell::Text(String::new()));
        }
        self.current[column] = cell;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Refusal> {
        let cells = std::mem::take(&mut self.current);
        if cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        if self.columns.is_empty() {
            self.header = cells.iter().map(Cell::shown).collect();
            self.columns = self.header.iter().map(|name| Column::of(name)).collect();
            return check(&self.header, &self.columns, self.options);
        }
        self.order.look(&self.columns, &cells);
        if self.rows.len() == self.options.most_rows {
            return Err(Refusal::TooManyRows {
                most: self.options.most_rows,
            });
        }
        self.rows.push_back((self.at as usize + 1, cells));
        Ok(())
    }

    fn finish(mut self) -> Result<Contents, Refusal> {
        self.end_row()?;
        if self.columns.is_empty() {
            // Not even a header.
            check(&self.header, &self.columns, self.options)?;
        }
        match self.order.found() {
            Some((column, example)) => Err(Refusal::DateOrder { column, example }),
            None => Ok((self.header, self.columns, self.rows)),
        }
    }
}

/// What a cell says; none where it is empty.
fn cell(value: &DataRef<'_>) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::Bool(flag) => Cell::Text(if *flag { "TRUE" } else { "FALSE" }.to_owned()),
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Error(error) => Cell::Error(error.to_string()),
        DataRef::DateTime(at) => moment(at).map_or(Cell::Number(at.as_f64()), Cell::Moment),
    })
}

/// The moment of a number that is formatted as one; none for a duration and for a time of day alone. Excel
/// counts in days, so that seconds come out of it rounded.
fn moment(at: &ExcelDateTime) -> Option<NaiveDateTime> {
    if !at.is_datetime() || at.as_f64() < 1.0 {
        return None;
    }
    let nearest = at.as_datetime()? + TimeDelta::milliseconds(500);
    nearest.with_nanosecond(0)
}
