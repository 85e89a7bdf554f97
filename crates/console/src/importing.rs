//! A table that people give becomes rows for the use case, and what is wrong with each.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use api_types::wire_name;
use chrono::{DateTime, Utc};
use domain::access::Visibility;
use domain::ports::{StoreError, causes};
use domain::requests::{Fault, Faults, Field, FieldPath, Input, Origin, Submission};
use domain::template::RawVariables;
use domain::usecases::{BLOCK, BulkCall, BulkRow, Intake, IntakeError, RowReceival};
use domain::values::{AccountError, BodyFingerprint, DealerId, IdempotencyKey, Once, jakarta_time};
use serde_json::{Map, Value};
use tables::{CellFault, IDEMPOTENCY_KEY, Row, Unreadable};

use crate::given::Given;

/// The longest pause after a block while single submissions come in; see the API's bulk call.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What is wrong with a row, or with a cell of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    /// A field breaks a rule.
    Field(Fault),
    /// No field can be read from a cell.
    Cell(CellFault),
    /// The row cannot be read.
    Row(Unreadable),
    /// The dealer is not the visitor's.
    ForeignDealer,
    UnknownDealer,
    InactiveDealer,
    NoAccount(AccountError),
    /// Its own key stood for another row before.
    KeyReused,
    /// The same row is being stored right now.
    KeyInProgress,
}

/// A row that cannot be stored.
#[derive(Debug, Clone)]
pub(crate) struct FaultyRow {
    /// Where it stands in the file, from 1.
    pub(crate) line: usize,
    /// What it says, by the names of columns.
    pub(crate) values: Vec<(String, String)>,
    /// What is wrong, with the column where it is one's.
    pub(crate) faults: Vec<(Option<String>, Why)>,
    /// Its cells as they stood, where they were kept.
    pub(crate) cells: Vec<String>,
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    pub(crate) stored: usize,
    /// How many of the stored were stored before.
    pub(crate) replayed: usize,
    pub(crate) faulty: usize,
    /// How many the store did not take.
    pub(crate) unstored: usize,
}

/// A table on its way in.
pub(crate) struct Importing {
    table: tables::Table,
    call: BulkCall,
    dealer: Option<DealerId>,
    /// How often the same row came by.
    met: HashMap<BodyFingerprint, u32>,
    /// The time of the call, and as a row would say it.
    at: DateTime<Utc>,
    now: String,
    origin: Option<Origin>,
    pub(crate) tally: Tally,
}

impl Importing {
    /// Begins; in a dry run everything is checked and nothing stored.
    pub(crate) fn begin(
        given: &Given,
        table: tables::Table,
        seen: &Visibility,
        dry_run: bool,
        at: DateTime<Utc>,
        origin: Option<Origin>,
    ) -> Self {
        Self {
            call: BulkCall::new(seen.clone(), dry_run),
            dealer: given.dealer.clone(),
            met: HashMap::new(),
            at,
            now: jakarta_time(at).format("%d/%m/%Y %H:%M:%S").to_string(),
            origin,
            tally: Tally {
                rows: table.rows(),
                ..Tally::default()
            },
            table,
        }
    }

    /// How many rows are done.
    pub(crate) fn done(&self) -> usize {
        let tally = &self.tally;
        tally.stored + tally.faulty + tally.unstored
    }

    /// The names of the header's cells; none of JSON.
    pub(crate) fn header(&self) -> Option<&[String]> {
        self.table.header()
    }

    /// How its text is written.
    pub(crate) fn dialect(&self) -> Option<tables::Dialect> {
        self.table.dialect().copied()
    }

    /// Takes the next rows in, and gives way to single submissions; tells which of them are faulty, and none
    /// at the end.
    pub(crate) async fn block(
        &mut self,
        intake: &Intake,
    ) -> std::io::Result<Option<Vec<FaultyRow>>> {
        let rows = self.table.next_rows(BLOCK)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let (live, began) = (intake.live(), Instant::now());
        let mut faulty = Vec::new();
        let (mut ready, mut kept) = (Vec::new(), Vec::new());
        for mut row in rows {
            let cells = std::mem::take(&mut row.cells);
            let line = row.line;
            match self.read(row) {
                Ok((row, values)) => {
                    ready.push(row);
                    kept.push((line, values, cells));
                }
                Err((values, faults)) => faulty.push(FaultyRow {
                    line,
                    values: shown(&values),
                    faults,
                    cells,
                }),
            }
        }
        let answers = intake.accept_all(&mut self.call, ready).await;
        for ((line, values, cells), answer) in kept.into_iter().zip(answers) {
            let faults = match answer {
                Ok(RowReceival { replayed, .. }) => {
                    self.tally.stored += 1;
                    self.tally.replayed += usize::from(replayed);
                    continue;
                }
                Err(error) => match why(error) {
                    Ok(faults) => faults,
                    Err(error) => {
                        if self.tally.unstored == 0 {
                            tracing::error!(
                                error.causes = causes(&error),
                                "rows could not be stored"
                            );
                        }
                        self.tally.unstored += 1;
                        continue;
                    }
                },
            };
            faulty.push(FaultyRow {
                line,
                values: shown(&values),
                faults,
                cells,
            });
        }
        faulty.sort_by_key(|row| row.line);
        self.tally.faulty += faulty.len();
        if intake.live() != live {
            tokio::time::sleep(began.elapsed().min(LONGEST_PAUSE)).await;
        }
        Ok(Some(faulty))
    }

    /// The submission of a row and its key, or its faults in the order of the fields.
    #[expect(clippy::type_complexity, reason = "both ends are taken apart at once")]
    fn read(
        &mut self,
        row: Row,
    ) -> Result<(BulkRow, Map<String, Value>), (Map<String, Value>, Vec<(Option<String>, Why)>)>
    {
        let fields = match row.content {
            Ok(fields) => fields,
            Err(unreadable) => return Err((Map::new(), vec![(None, Why::Row(unreadable))])),
        };
        let tables::Fields {
            mut values,
            faults: of_cells,
            times_may_be_absent,
        } = fields;
        let dealer = wire_name(Field::DealerId);
        if let Some(default) = &self.dealer
            && !values.contains_key(dealer)
        {
            values.insert(dealer.to_owned(), default.as_str().into());
        }
        let mut submission = submission(&values);
        submission.origin = self.origin.clone();
        // The time of the call is none of the row's values.
        let body = submission.fingerprint();
        if times_may_be_absent {
            for time in [&mut submission.created_time, &mut submission.modified_time] {
                if *time == Input::Absent {
                    *time = self.now.as_str().into();
                }
            }
        }
        let (key, of_key) = self.key(body, values.get(IDEMPOTENCY_KEY));
        if !of_cells.is_empty() || of_key.is_some() {
            let of_fields = submission.validate(self.at).err().unwrap_or_default();
            return Err((values, in_order(&of_fields, &of_cells, of_key)));
        }
        let once = key.map(|key| Once {
            key,
            body,
            alike: None,
        });
        Ok((BulkRow { submission, once }, values))
    }

    /// The key of a row: its own, else one of what it says. So the same row is stored once in 24 hours, in
    /// whatever file it comes again: the one whose form is sent twice, or the one in which others were mended.
    /// A row that stands in its file twice is meant twice.
    fn key(
        &mut self,
        body: BodyFingerprint,
        own: Option<&Value>,
    ) -> (Option<IdempotencyKey>, Option<Fault>) {
        match own {
            None | Some(Value::Null) => {
                let times = self.met.entry(body).or_default();
                *times += 1;
                let key = format!("console-{}-{times}", hex::encode(body.as_bytes()));
                (IdempotencyKey::parse(&key).ok(), None)
            }
            Some(Value::String(own)) => match IdempotencyKey::parse(own) {
                Ok(key) => (Some(key), None),
                Err(_) => (None, Some(Fault::NotVisible)),
            },
            Some(_) => (None, Some(Fault::NotText)),
        }
    }
}

/// What is wrong with a row, or the store's failure.
fn why(error: IntakeError) -> Result<Vec<(Option<String>, Why)>, StoreError> {
    let of_dealer = |why| Ok(vec![(Some(wire_name(Field::DealerId).to_owned()), why)]);
    match error {
        IntakeError::Invalid(faults) => Ok(faults.iter().map(of_field).collect()),
        IntakeError::ForeignDealer => of_dealer(Why::ForeignDealer),
        IntakeError::UnknownDealer => of_dealer(Why::UnknownDealer),
        IntakeError::InactiveDealer => of_dealer(Why::InactiveDealer),
        IntakeError::NoAccount(error) => of_dealer(Why::NoAccount(error)),
        IntakeError::KeyReused => Ok(vec![(None, Why::KeyReused)]),
        IntakeError::KeyInProgress => Ok(vec![(None, Why::KeyInProgress)]),
        IntakeError::NotStored(error) => Err(error),
    }
}

fn of_field((path, fault): &(FieldPath, Fault)) -> (Option<String>, Why) {
    let fault = match (path.field(), fault) {
        // Nobody mends a phone by counting characters.
        (Field::Phone, Fault::TooShort { .. } | Fault::TooLong { .. }) => Fault::Phone,
        (_, fault) => *fault,
    };
    (Some(column(path)), Why::Field(fault))
}

/// The column of a field.
fn column(path: &FieldPath) -> String {
    match path {
        FieldPath::Field(field) => wire_name(*field).to_owned(),
        FieldPath::Variable(name) => format!("var.{name}"),
    }
}

/// The faults of fields, cells and key in one list: what a cell says goes before what would be wrong with it
/// otherwise.
fn in_order(
    of_fields: &Faults,
    of_cells: &[(&'static str, CellFault)],
    of_key: Option<Fault>,
) -> Vec<(Option<String>, Why)> {
    let has_cell = |path: &FieldPath| {
        let name = wire_name(path.field());
        of_cells.iter().any(|(column, _)| *column == name)
    };
    let cells = of_cells.iter().map(|(column, fault)| {
        let column: &str = column;
        (Some(column.to_owned()), Why::Cell(*fault))
    });
    let fields = of_fields.iter().filter(|(path, _)| !has_cell(path));
    let key = of_key.map(|fault| (Some(IDEMPOTENCY_KEY.to_owned()), Why::Field(fault)));
    cells.chain(fields.map(of_field)).chain(key).collect()
}

/// What a row says, as people read it.
fn shown(values: &Map<String, Value>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, value) in values {
        match value {
            Value::Object(texts) if name == wire_name(Field::Variables) => {
                let texts = texts.iter();
                all.extend(texts.map(|(name, text)| (format!("var.{name}"), plain(text))));
            }
            other => all.push((name.clone(), plain(other))),
        }
    }
    all
}

/// A value as a cell has it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn submission(values: &Map<String, Value>) -> Submission {
    let variables = match values.get(wire_name(Field::Variables)) {
        None | Some(Value::Null) => RawVariables::Absent,
        Some(Value::Object(texts)) => {
            let texts = texts.iter();
            let read = texts.map(|(name, text)| (name.clone(), input(Some(text))));
            RawVariables::Given(read.collect())
        }
        Some(_) => RawVariables::Other,
    };
    Submission::read(|field| input(values.get(wire_name(field))), variables)
}

fn input(value: Option<&Value>) -> Input {
    match value {
        None => Input::Absent,
        Some(Value::Null) => Input::Null,
        Some(Value::String(text)) => Input::Text(text.clone()),
        Some(Value::Bool(flag)) => Input::Flag(*flag),
        Some(Value::Number(number)) => number.as_i64().map_or(Input::Other, Input::Whole),
        Some(Value::Array(_) | Value::Object(_)) => Input::Other,
    }
}
