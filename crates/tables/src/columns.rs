//! Which column of a table is which field.

use domain::requests::Field;

use crate::{ColumnFault, Options, Refusal};

/// The name of a row's own key.
pub const IDEMPOTENCY_KEY: &str = "idempotencyKey";

/// What the columns of a template's variables begin with.
pub const VARIABLE_PREFIX: &str = "var.";

/// The name of a field on the wire and in headers; Indonesian, as the clients know it.
#[must_use]
pub const fn wire_name(field: Field) -> &'static str {
    match field {
        Field::CustomerName => "namaPembawa",
        Field::Phone => "noTelp",
        Field::UnitType => "tipeUnit",
        Field::LicensePlate => "noPol",
        Field::CreatedTime => "createdTime",
        Field::ModifiedTime => "modifiedTime",
        Field::DealerId => "dealerId",
        Field::Template => "template",
        Field::Variables => "variables",
        Field::SendAt => "sendAt",
    }
}

/// Whether a column holds local times, in the form of [`parse_local_time`](domain::values::parse_local_time).
#[must_use]
pub fn is_local_time(column: &str) -> bool {
    [Field::CreatedTime, Field::ModifiedTime]
        .map(wire_name)
        .contains(&column)
}

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    let variables = columns
        .iter()
        .filter(|column| matches!(column, Column::Variable(_)));
    let mut faults: Vec<ColumnFault> = Vec::new();
    for column in column_names().map(Column::Named).chain(variables.cloned()) {
        let mut places = (0..columns.len()).filter(|n| columns[*n] == column);
        let fault = match (&column, places.next(), places.next()) {
            (Column::Named(name), None, _) if is_needed(name, options) => {
                ColumnFault::Missing(name)
            }
            (Column::Named(name), Some(_), Some(again)) => ColumnFault::Repeated {
                name: (*name).to_owned(),
                written: header[again].clone(),
            },
            (Column::Variable(name), Some(_), Some(again)) => ColumnFault::Repeated {
                name: format!("{VARIABLE_PREFIX}{name}"),
                written: header[again].clone(),
            },
            _ => continue,
        };
        // A variable comes by as often as it is there.
        if !faults.contains(&fault) {
            faults.push(fault);
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
    fn of_a_variable_only_case_does_not_matter() {
        let variable = |name: &str| Column::Variable(name.to_owned());
        assert_eq!(Column::of("var.km"), variable("km"));
        assert_eq!(Column::of("VAR.KM_Akhir"), variable("km_akhir"));
        assert_eq!(Column::of("var.k m"), variable("k m"));
        assert_eq!(Column::of("v_ar.km"), Column::Other);
    }
}
