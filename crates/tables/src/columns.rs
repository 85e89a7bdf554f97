//! Which column of a table is which field.

use std::collections::HashMap;

use api_types::wire_name;
use domain::requests::Field;

use crate::{ColumnFault, Options, Refusal};

/// The name of a row's own key.
pub const IDEMPOTENCY_KEY: &str = "idempotencyKey";

/// What the columns of a template's variables begin with.
pub const VARIABLE_PREFIX: &str = "var.";

/// Whether a column holds local times, in the form of [`parse_local_time`](domain::values::parse_local_time).
#[must_use]
pub fn is_local_time(column: &str) -> bool {
    [Field::CreatedTime, Field::ModifiedTime]
        .map(wire_name)
        .contains(&column)
}

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    /// A field or the key, by its name on the wire.
    Named(&'static str),
    /// A variable of the template.
    Variable(String),
    /// Nothing of ours.
    Other,
}

/// The names of all columns that are known, in the order of the fields; variables have columns of their own.
pub fn column_names() -> impl Iterator<Item = &'static str> {
    let fields = Field::ALL
        .into_iter()
        .filter(|field| *field != Field::Variables);
    fields.map(wire_name).chain([IDEMPOTENCY_KEY])
}

/// Whether a column means something here.
#[must_use]
pub fn is_known_column(header: &str) -> bool {
    Column::of(header).is_known()
}

impl Column {
    /// The column under this header.
    pub(crate) fn of(header: &str) -> Self {
        let header = header.strip_prefix('\'').unwrap_or(header).trim();
        let plain = plain(header);
        if let Some(name) = column_names().find(|name| plain == name.to_lowercase()) {
            return Self::Named(name);
        }
        // A variable's name may have `_`, so that only case does not matter.
        match header.get(..VARIABLE_PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(VARIABLE_PREFIX) => {
                Self::Variable(header[VARIABLE_PREFIX.len()..].to_lowercase())
            }
            _ => Self::Other,
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        *self != Self::Other
    }
}

/// A name without what people write differently.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether the columns under this header are those of a table.
pub(crate) fn check(
    header: &[String],
    columns: &[Column],
    options: &Options,
) -> Result<(), Refusal> {
    // Where each column stands first, and where once more.
    let mut places: HashMap<&Column, (usize, Option<usize>)> = HashMap::new();
    for (n, column) in columns.iter().enumerate() {
        let again = places.entry(column).or_insert((n, None));
        if again.0 != n {
            again.1.get_or_insert(n);
        }
    }
    let mut faults: Vec<ColumnFault> = Vec::new();
    for name in column_names() {
        match places.get(&Column::Named(name)) {
            None if is_needed(name, options) => faults.push(ColumnFault::Missing(name)),
            Some((_, Some(again))) => faults.push(ColumnFault::Repeated {
                name: name.to_owned(),
                written: header[*again].clone(),
            }),
            _ => {}
        }
    }
    for (n, column) in columns.iter().enumerate() {
        if let (Column::Variable(name), Some((first, Some(again)))) = (column, places.get(column))
            && *first == n
        {
            faults.push(ColumnFault::Repeated {
                name: format!("{VARIABLE_PREFIX}{name}"),
                written: header[*again].clone(),
            });
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Columns(faults)),
    }
}

/// Whether a table must have this column.
fn is_needed(name: &str, options: &Options) -> bool {
    let always = [
        Field::CustomerName,
        Field::Phone,
        Field::UnitType,
        Field::LicensePlate,
    ];
    always.map(wire_name).contains(&name)
        || name == wire_name(Field::DealerId) && !options.has_dealer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_underscores_do_not_matter() {
        for header in [
            "namaPembawa",
            "NAMA PEMBAWA",
            "nama_pembawa",
            " Nama  Pembawa ",
            "'NamaPembawa",
        ] {
            assert_eq!(Column::of(header), Column::Named("namaPembawa"), "{header}");
        }
        assert_eq!(Column::of("send_at"), Column::Named("sendAt"));
        assert_eq!(
            Column::of("IDEMPOTENCY KEY"),
            Column::Named(IDEMPOTENCY_KEY)
        );
        for header in ["", "nama", "nama-pembawa", "var", "no"] {
            assert_eq!(Column::of(header), Column::Other, "{header}");
        }
    }

    #[test]
    fn so_many_columns_as_nobody_has_are_checked_at_once() {
        let options = Options {
            most_rows: 1,
            most_unpacked: 1,
            has_dealer: true,
            keep_cells: false,
        };
        let names = ["namaPembawa", "noTelp", "tipeUnit", "noPol"].map(str::to_owned);
        let variables = (0..300_000).map(|n| format!("var.v{n}"));
        let header: Vec<String> = names.into_iter().chain(variables).collect();
        let columns: Vec<Column> = header.iter().map(|name| Column::of(name)).collect();
        // Comparing each with all others would take an hour.
        assert!(check(&header, &columns, &options).is_ok());
    }

    #[test]
    fn of_a_variable_only_case_does_not_matter() {
        let variable = |name: &str| Column::Variable(name.to_owned());
        assert_eq!(Column::of("var.km"), variable("km"));
        assert_eq!(Column::of("VAR.KM_Akhir"), variable("km_akhir"));
        assert_eq!(Column::of("var.k m"), variable("k m"));
        assert_eq!(Column::of("v_ar.km"), Column::Other);
    }
}
