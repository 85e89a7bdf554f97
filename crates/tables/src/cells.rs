//! What a cell of a table says.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use domain::requests::Field;
use domain::values::parse_local_time;
use serde_json::{Map, Value};

use crate::columns::{Column, is_local_time, wire_name};
use crate::row::Fields;

/// Why no field can be read from a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellFault {
    /// It is the error of a formula, such as `#N/A`.
    ErrorValue,
    /// Excel wrote a phone with an exponent, such as `8,21E+11`: digits are lost.
    Exponent,
    /// A phone is a number with a fraction, such as `82148523421.0`, which programs make of a column of numbers.
    Fraction,
    /// It is a number where a time belongs, and no format says that it is a date.
    NumberForTime,
}

/// A cell as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// A text, or what its characters say.
    Text(String),
    /// A number.
    Number(f64),
    /// A moment, from a number whose format is that of a date.
    Moment(NaiveDateTime),
    /// The error of a formula.
    Error(String),
}

/// What spreadsheets write where a formula failed.
const ERRORS: [&str; 11] = [
    "#N/A",
    "#VALUE!",
    "#REF!",
    "#DIV/0!",
    "#NUM!",
    "#NAME?",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
];

/// Whether a text is such an error, or what is shown where a number is wider than its column.
fn is_error(text: &str) -> bool {
    let text = text.trim();
    ERRORS.contains(&text) || text.len() > 1 && text.bytes().all(|b| b == b'#')
}

/// Whether a text is empty: white space alone, also that of Unicode, counts as nothing in every column and form.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

impl Cell {
    /// Whether nothing is seen of it.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if is_blank(text))
    }

    /// As a person sees it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Error(text) => text.clone(),
            // Without an exponent, however large.
            Self::Number(number) => format!("{number}"),
            Self::Moment(at) => written(*at),
        }
    }

    /// The same in a column of this name: a text that is read there as the cell is.
    pub(crate) fn shown_under(&self, column: &str) -> String {
        match self {
            // A time without a zone is Jakarta's.
            Self::Moment(at) if column == wire_name(Field::SendAt) => {
                format!("{}+07:00", at.format("%Y-%m-%dT%H:%M:%S"))
            }
            _ => self.shown(),
        }
    }
}

/// The fields of a row of a table. Cells beyond the header are ignored.
pub(crate) fn fields(columns: &[Column], cells: impl IntoIterator<Item = Cell>) -> Fields {
    let mut fields = Fields {
        times_may_be_absent: true,
        ..Fields::default()
    };
    let mut variables = Map::new();
    for (column, cell) in columns.iter().zip(cells) {
        match column {
            Column::Other => {}
            Column::Named(name) => {
                let (text, fault) = read(name, &cell);
                fields.faults.extend(fault.map(|fault| (*name, fault)));
                if let Some(text) = text {
                    fields.values.insert((*name).to_owned(), text.into());
                }
            }
            Column::Variable(name) => {
                let (text, fault) = read("variables", &cell);
                fields
                    .faults
                    .extend(fault.map(|fault| ("variables", fault)));
                if let Some(text) = text {
                    variables.insert(name.clone(), text.into());
                }
            }
        }
    }
    if !variables.is_empty() {
        let name = "variables".to_owned();
        fields.values.insert(name, Value::Object(variables));
    }
    fields
}

/// What a cell of this column says; none where it is empty.
fn read(column: &str, cell: &Cell) -> (Option<String>, Option<CellFault>) {
    let is_time = is_local_time(column);
    let shown = cell.shown_under(column);
    let text = shown.strip_prefix('\'').unwrap_or(&shown);
    if is_blank(text) {
        return (None, None);
    }
    let is_phone = column == wire_name(Field::Phone);
    let fault = match cell {
        Cell::Error(_) => Some(CellFault::ErrorValue),
        Cell::Number(_) if is_time || column == wire_name(Field::SendAt) => {
            Some(CellFault::NumberForTime)
        }
        Cell::Text(_) if is_error(text) => Some(CellFault::ErrorValue),
        Cell::Text(_) if is_phone && has_exponent(text) => Some(CellFault::Exponent),
        Cell::Number(number) if is_phone && number.fract() != 0.0 => Some(CellFault::Fraction),
        Cell::Text(_) if is_phone && has_fraction(text) => Some(CellFault::Fraction),
        Cell::Text(_) if is_time && is_number(text) => Some(CellFault::NumberForTime),
        _ => None,
    };
    let text = Some(text.to_owned());
    let of_time = text.as_deref().filter(|_| is_time).and_then(time);
    (of_time.or(text), fault)
}

/// Whether a text is a number with an exponent, as Excel shows long ones.
fn has_exponent(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let is_mantissa = mantissa.starts_with(|c: char| c.is_ascii_digit())
        && mantissa
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    is_mantissa && !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is a whole phone and a fraction. Between the groups of a phone there are more digits.
fn has_fraction(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some((whole, fraction)) = text.split_once(['.', ',']) else {
        return false;
    };
    let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let is_short = fraction.len() <= 2 || fraction.bytes().all(|b| b == b'0');
    whole.len() >= 8 && are_digits(whole) && are_digits(fraction) && is_short
}

/// Whether a text is a plain number, such as the one that Excel counts days with.
fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.bytes().any(|b| b.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
}

/// The time that a text says, in the form of a single submission; a day begins at midnight, and parts of a
/// second are dropped.
fn time(text: &str) -> Option<String> {
    let text = text.trim();
    let spelt = if parse_local_time(text).is_ok() {
        text.to_owned()
    } else if text.contains('/') {
        let minutes = text.matches(':').count() == 1;
        let rest = if minutes { ":00" } else { " 00:00:00" };
        format!("{text}{rest}")
    } else {
        written(iso(text)?)
    };
    parse_local_time(&spelt).is_ok().then_some(spelt)
}

/// ISO 8601 without a zone.
fn iso(text: &str) -> Option<NaiveDateTime> {
    let bytes = text.as_bytes();
    let is_date = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(n, b)| match n {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !is_date {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else {
        return rest.is_empty().then(|| date.and_time(NaiveTime::MIN));
    };
    let shaped = time.len() >= 5
        && time.bytes().enumerate().all(|(n, b)| match n {
            2 | 5 => b == b':',
            8 => b == b'.',
            _ => b.is_ascii_digit(),
        });
    let form = match time.len() {
        5 => "%H:%M",
        8 => "%H:%M:%S",
        _ => "%H:%M:%S%.f",
    };
    let time = NaiveTime::parse_from_str(time, form).ok()?;
    let is_leap = time.nanosecond() >= 1_000_000_000;
    (shaped && !is_leap).then(|| date.and_time(time))
}

/// A time in the form of a single submission.
fn written(at: NaiveDateTime) -> String {
    let mut text = String::new();
    let year = chrono::Datelike::year(&at);
    // chrono does not pad years below 1000 with `%Y`.
    let _ = write!(
        text,
        "{}{year:04}{}",
        at.format("%d/%m/"),
        at.format(" %H:%M:%S")
    );
    text
}

/// Finds out whether the dates of a table begin with the month.
#[derive(Default)]
pub(crate) struct DateOrder {
    /// A date whose second part is no month, and its column.
    odd: Option<(&'static str, String)>,
    /// Whether the first part of some date is no month.
    begins_with_day: bool,
}

impl DateOrder {
    /// Looks at the texts of a row.
    pub(crate) fn look(&mut self, columns: &[Column], cells: &[Cell]) {
        for (column, cell) in columns.iter().zip(cells) {
            if let (Column::Named(name), Cell::Text(text)) = (column, cell)
                && is_local_time(name)
                && let Some((first, second)) = parts(text)
            {
                self.begins_with_day |= first > 12;
                if second > 12 && self.odd.is_none() {
                    self.odd = Some((name, text.clone()));
                }
            }
        }
    }

    /// The column and an example of a date that begins with the month, where the table's dates do.
    pub(crate) fn found(self) -> Option<(&'static str, String)> {
        self.odd.filter(|_| !self.begins_with_day)
    }
}

/// The first two parts of a date with slashes.
fn parts(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix('\'').unwrap_or(text).trim();
    let date = text.split(' ').next()?;
    let mut parts = date.split('/');
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| {
        let is_short = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_short.then(|| part.parse().ok())?
    };
    let is_year = matches!(year.len(), 2 | 4) && year.bytes().all(|b| b.is_ascii_digit());
    (is_year && parts.next().is_none()).then_some(())?;
    Some((short(first)?, short(second)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_five_forms() {
        for (text, expected) in [
            ("31/12/2019 15:40:50", "31/12/2019 15:40:50"),
            ("1/2/2019 5:4:5", "1/2/2019 5:4:5"),
            ("31/12/2019", "31/12/2019 00:00:00"),
            ("31/12/2019 15:40", "31/12/2019 15:40:00"),
            ("2019-12-31", "31/12/2019 00:00:00"),
            ("2019-12-31T15:40", "31/12/2019 15:40:00"),
            ("2019-12-31T15:40:50", "31/12/2019 15:40:50"),
            ("2019-12-31 15:40:50.987", "31/12/2019 15:40:50"),
            (" 31/12/2019 ", "31/12/2019 00:00:00"),
        ] {
            assert_eq!(time(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "31/13/2019",
            "31-12-2019",
            "31/12/19",
            "2019-12-31T15:40:50Z",
            "2019-12-31T15:40:50+07:00",
            "2019-12-31T",
            "2019-12-31T15",
            "2019-12-31T23:59:60",
            "2019-02-30",
            "20191231",
            "31/12/2019 15",
            "besok",
            "０1/02/2019",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn excels_long_numbers_are_recognised() {
        for text in [
            "8,21E+11",
            "+8,21E+11",
            "8.21E+11",
            "8E10",
            "8,21485e+10",
            "6,28E+12 ",
        ] {
            assert!(has_exponent(text), "{text}");
        }
        for text in ["082148523421", "E+11", "8,21E", "8E+1x", "", "E", "BeAT"] {
            assert!(!has_exponent(text), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_told_from_the_groups_of_a_phone() {
        for text in [
            "82148523421.0",
            "82148523421,00",
            "+6282148523421.5",
            "082148523421.",
        ] {
            assert!(has_fraction(text), "{text}");
        }
        for text in [
            "082148523421",
            "0821.4852.3421",
            "0821485.23421",
            "08214852.3421",
            "0.5",
        ] {
            assert!(!has_fraction(text), "{text}");
        }
    }

    #[test]
    fn a_number_is_its_digits() {
        assert_eq!(Cell::Number(82_148_523_421.0).shown(), "82148523421");
        assert_eq!(Cell::Number(0.5).shown(), "0.5");
        assert_eq!(Cell::Number(1e21).shown(), "1000000000000000000000");
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_time_is_one(text in "\\PC{0,30}|[0-9/:T. -]{0,24}") {
            if let Some(time) = time(&text) {
                prop_assert!(parse_local_time(&time).is_ok(), "{}", time);
            }
        }
    }
}
