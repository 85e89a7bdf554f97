//! The SQL types of the values that statements bind and rows hold.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::pg::data_types::{PgDate, PgTime};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Date, Double, Integer, Nullable, SmallInt, Text, Time, Timestamp,
    Timestamptz, Uuid,
};

use crate::requests::odd::AnyDate;

/// A value with the one SQL type that it is bound and read as.
pub(crate) trait Bound {
    /// The SQL type.
    type SqlType: 'static;
}

macro_rules! bound {
    ($($value:ty => $sql_type:ty)*) => {
        $(impl Bound for $value {
            type SqlType = $sql_type;
        })*
    };
}

bound! {
    bool => Bool
    i16 => SmallInt
    i32 => Integer
    i64 => BigInt
    f64 => Double
    &str => Text
    String => Text
    &String => Text
    Cow<'_, str> => Text
    &[u8] => Binary
    Vec<u8> => Binary
    uuid::Uuid => Uuid
    NaiveDate => Date
    PgDate => Date
    NaiveTime => Time
    PgTime => Time
    NaiveDateTime => Timestamp
    DateTime<Utc> => Timestamptz
    AnyDate => Date
}

impl<T: Bound> Bound for Option<T> {
    type SqlType = Nullable<T::SqlType>;
}

impl<T: Bound> Bound for Vec<T> {
    type SqlType = Array<T::SqlType>;
}

impl<T: Bound> Bound for &[T] {
    type SqlType = Array<T::SqlType>;
}

impl<T: Bound> Bound for &Vec<T> {
    type SqlType = Array<T::SqlType>;
}

/// Defines a row of a statement: its fields are found by their names, and have the SQL types of their own.
macro_rules! sql_row {
    ($(#[$of_row:meta])* $vis:vis struct $name:ident {
        $($(#[$of_field:meta])* $of:vis $field:ident: $value:ty,)*
    }) => {
        $(#[$of_row])*
        $vis struct $name {
            $($(#[$of_field])* $of $field: $value,)*
        }

        impl diesel::deserialize::QueryableByName<diesel::pg::Pg> for $name {
            fn build<'a>(
                row: &impl diesel::row::NamedRow<'a, diesel::pg::Pg>,
            ) -> diesel::deserialize::Result<Self> {
                Ok(Self {
                    $($field: diesel::row::NamedRow::get::<
                        <$value as $crate::sql::Bound>::SqlType,
                        $value,
                    >(row, stringify!($field))?,)*
                })
            }
        }
    };
}

pub(crate) use sql_row;
