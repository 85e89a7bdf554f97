use std::fmt;
use std::io::Write as _;

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, HasSqlType, Nullable, Text};

/// A column of texts, one for each row of a batch, as an array of PostgreSQL.
///
/// Diesel writes an array in three steps for each element, each of which may make the buffer grow;
/// most of what a batch binds are texts, and here they are put together first.
pub(crate) struct Texts<S>(Vec<Option<S>>);

impl<S: AsRef<str>> Texts<S> {
    /// Of rows each of which has one.
    pub(crate) fn of(texts: impl Iterator<Item = S>) -> Self {
        Self(texts.map(Some).collect())
    }

    /// Of rows some of which have none.
    pub(crate) fn some_of(texts: impl Iterator<Item = Option<S>>) -> Self {
        Self(texts.collect())
    }

    /// The binary form of PostgreSQL's `array_recv`: dimensions, a flag that nobody reads, the type of
    /// the elements, their number, the first index, and of each its length, -1 for null, and its bytes.
    fn binary(&self, element: u32) -> Result<Vec<u8>, std::num::TryFromIntError> {
        let texts = self.0.iter().flatten();
        let length: usize = texts.map(|text| text.as_ref().len()).sum();
        let mut bytes = Vec::with_capacity(20 + 4 * self.0.len() + length);
        bytes.extend(1_i32.to_be_bytes());
        bytes.extend(0_i32.to_be_bytes());
        bytes.extend(element.to_be_bytes());
        bytes.extend(i32::try_from(self.0.len())?.to_be_bytes());
        bytes.extend(1_i32.to_be_bytes());
        for text in &self.0 {
            if let Some(text) = text.as_ref().map(S::as_ref) {
                bytes.extend(i32::try_from(text.len())?.to_be_bytes());
                bytes.extend(text.as_bytes());
            } else {
                bytes.extend((-1_i32).to_be_bytes());
            }
        }
        Ok(bytes)
    }

    fn write(&self, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
        let element = <Pg as HasSqlType<Text>>::metadata(out.metadata_lookup());
        out.write_all(&self.binary(element.oid()?)?)?;
        Ok(IsNull::No)
    }
}

impl<S: AsRef<str>> ToSql<Array<Text>, Pg> for Texts<S> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(out)
    }
}

impl<S: AsRef<str>> ToSql<Array<Nullable<Text>>, Pg> for Texts<S> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(out)
    }
}

/// Prints how many there are: they tell who somebody is.
impl<S> fmt::Debug for Texts<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} texts", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_form_is_that_of_postgresql() {
        let texts = Texts::some_of([Some("ab"), None, Some("")].into_iter());
        let form = [
            [0, 0, 0, 1],
            [0, 0, 0, 0],
            [0, 0, 0, 25],
            [0, 0, 0, 3],
            [0, 0, 0, 1],
            [0, 0, 0, 2],
        ];
        let mut expected = form.concat();
        expected.extend(b"ab\xff\xff\xff\xff\0\0\0\0");
        assert_eq!(texts.binary(25).unwrap(), expected);
    }
}
