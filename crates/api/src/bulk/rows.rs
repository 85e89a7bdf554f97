//! A row becomes a submission, or a list of what is wrong with it.

use api_types::{FaultBody, wire_name};
use chrono::{DateTime, Utc};
use domain::requests::{Fault, Field, Input};
use domain::usecases::BulkRow;
use domain::values::{BodyFingerprint, IdempotencyKey, Once, jakarta_time};
use serde_json::{Map, Value};
use tables::{CellFault, IDEMPOTENCY_KEY, LONGEST_ROW, Row, Unreadable};

use super::BulkOptions;
use crate::http::{Fields, canonical};
use crate::routes::submissions::{described, submission};
use crate::validation::{Rule, fault, json_invalid, no_body, not_an_object, place};

/// Reads the rows of a call.
pub(super) struct Reader {
    options: BulkOptions,
    /// The time of the call.
    at: DateTime<Utc>,
    /// The same, as a row would say it.
    now: String,
}

/// A row that may be stored.
pub(super) struct ReadRow {
    pub(super) row: BulkRow,
    /// What it said, for telling what is wrong with it.
    pub(super) values: Map<String, Value>,
}

impl Reader {
    pub(super) fn new(at: DateTime<Utc>, options: BulkOptions) -> Self {
        let now = jakarta_time(at).format("%d/%m/%Y %H:%M:%S").to_string();
        Self { options, at, now }
    }

    /// The submission of a row and its key, or its faults in the order of the fields.
    pub(super) fn read(&self, row: Row) -> Result<ReadRow, Vec<FaultBody>> {
        let content = row.content.map_err(|unreadable| vec![of_row(unreadable)])?;
        let tables::Fields {
            mut values,
            faults: of_cells,
            times_may_be_absent,
        } = content;
        let dealer = wire_name(Field::DealerId);
        if let Some(default) = &self.options.dealer
            && !values.contains_key(dealer)
        {
            values.insert(dealer.to_owned(), default.as_str().into());
        }
        let own_key = values.get(IDEMPOTENCY_KEY).cloned();
        let (key, of_key) = match self.key(row.number, own_key.as_ref()) {
            Ok(key) => (key, None),
            Err(fault) => (None, Some(*fault)),
        };
        let fields = Fields::new(vec![place("body")], values);
        let mut submission = submission(&fields);
        submission.origin = self.options.origin.clone();
        // The time of the call is none of the row's values.
        let body = key.as_ref().map(|_| submission.fingerprint());
        if times_may_be_absent {
            for time in [&mut submission.created_time, &mut submission.modified_time] {
                if *time == Input::Absent {
                    *time = self.now.as_str().into();
                }
            }
        }
        if !of_cells.is_empty() || of_key.is_some() {
            let of_fields = submission.validate(self.at).err().unwrap_or_default();
            let faults = described(&of_fields, fields.clone());
            return Err(in_order(faults, &of_cells, fields, of_key));
        }
        let values = fields.into_values();
        let once = key.zip(body).map(|(key, body)| Once {
            key,
            body,
            alike: as_single(&values),
        });
        let row = BulkRow { submission, once };
        Ok(ReadRow { row, values })
    }

    /// What is wrong with a row, as far as it itself tells.
    pub(super) fn faults(&self, row: Row) -> Vec<FaultBody> {
        let read = match self.read(row) {
            Ok(read) => read,
            Err(faults) => return faults,
        };
        let broken = read.row.submission.validate(self.at).err();
        let fields = Fields::new(vec![place("body")], read.values);
        described(&broken.unwrap_or_default(), fields)
    }

    /// The key of a row: its own, else the one that the call's makes of its number.
    fn key(
        &self,
        number: usize,
        own: Option<&Value>,
    ) -> Result<Option<IdempotencyKey>, Box<FaultBody>> {
        let rule = match own {
            None | Some(Value::Null) => {
                let of_call = self.options.key.as_ref();
                let key =
                    of_call.map(|key| IdempotencyKey::parse(&format!("{}/{number}", key.as_str())));
                // The call's key is short enough, which was looked at before.
                return Ok(key.and_then(Result::ok));
            }
            Some(Value::String(own)) => match IdempotencyKey::parse(own) {
                Ok(key) => return Ok(Some(key)),
                Err(_) => Fault::NotVisible,
            },
            Some(_) => Fault::NotText,
        };
        let place = vec![place("body"), place(IDEMPOTENCY_KEY)];
        let fault = fault(place, rule, own.cloned().unwrap_or_default());
        Err(Box::new(fault))
    }
}

/// The fingerprint that the row has as the body of a single submission, whose key the caller may also have
/// used.
fn as_single(values: &Map<String, Value>) -> Option<BodyFingerprint> {
    let mut values = values.clone();
    values.shift_remove(IDEMPOTENCY_KEY);
    let text = Value::Object(values).to_string();
    Some(BodyFingerprint::of(&canonical(text.as_bytes()).ok()?))
}

/// Why a row has no fields.
fn of_row(unreadable: Unreadable) -> FaultBody {
    let body = || vec![place("body")];
    match unreadable {
        Unreadable::NotJson { offset, reason } => json_invalid(offset, reason),
        Unreadable::NotAnObject(Value::Null) => no_body(),
        Unreadable::NotAnObject(value) => not_an_object(value),
        Unreadable::NotText => fault(body(), Rule::NotUnicode, Value::Null),
        Unreadable::TooLong => fault(body(), Fault::TooLong { max: LONGEST_ROW }, Value::Null),
    }
}

/// The faults of fields and cells in one list, in the order of the fields: what a cell says goes before what
/// would be wrong with it otherwise.
fn in_order(
    of_fields: Vec<FaultBody>,
    of_cells: &[(&'static str, CellFault)],
    mut fields: Fields,
    of_key: Option<FaultBody>,
) -> Vec<FaultBody> {
    for (column, cell) in of_cells {
        fields.refuse(&[*column], Rule::of_cell(*cell));
    }
    let mut all = fields.into_faults();
    let is_other = |fault: &FaultBody| {
        let is_of = |column: &str| fault.loc.get(1) == Some(&place_of(column));
        !of_cells.iter().any(|(column, _)| is_of(column))
    };
    all.extend(of_fields.into_iter().filter(is_other));
    all.sort_by_key(|fault| {
        let is_of = |field: &Field| fault.loc.get(1) == Some(&place_of(wire_name(*field)));
        Field::ALL.iter().position(is_of)
    });
    all.extend(of_key);
    all
}

fn place_of(name: &str) -> api_types::Place {
    api_types::Place::Name(name.to_owned().into())
}
