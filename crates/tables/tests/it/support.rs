use std::io::Cursor;

use serde_json::{Value, json};
use tables::{CellFault, Form, Options, Refusal, Row, Table};

pub(crate) const HEADER: &str =
    "namaPembawa,noTelp,tipeUnit,noPol,createdTime,modifiedTime,dealerId";
pub(crate) const ROW: &str =
    "Adit,082148523421,BeAT Street,D 123 AD,31/12/2019 15:40:50,31/12/2019 15:40:50,0009999";

pub(crate) const OPTIONS: Options = Options {
    most_rows: 10_000,
    most_unpacked: 64 * 1024 * 1024,
    has_dealer: false,
    keep_cells: true,
};

pub(crate) fn open(form: Form, bytes: impl Into<Vec<u8>>) -> Result<Table, Refusal> {
    Table::open(form, Box::new(Cursor::new(bytes.into())), &OPTIONS)
}

pub(crate) fn refusal(form: Form, bytes: impl Into<Vec<u8>>) -> Refusal {
    match open(form, bytes) {
        Err(refusal) => refusal,
        Ok(table) => panic!("a table of {} rows is no refusal", table.rows()),
    }
}

/// All rows; as many as the table said.
pub(crate) fn rows(form: Form, bytes: impl Into<Vec<u8>>) -> Vec<Row> {
    let mut table = open(form, bytes).unwrap_or_else(|refusal| panic!("{refusal}"));
    let count = table.rows();
    let rows = table.next_rows(usize::MAX).expect("read");
    assert_eq!(rows.len(), count, "the number of rows");
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row.number, n + 1);
    }
    rows
}

/// The fields of the only row.
pub(crate) fn only(form: Form, bytes: impl Into<Vec<u8>>) -> Value {
    let mut rows = rows(form, bytes);
    assert_eq!(rows.len(), 1, "{rows:?}");
    fields(rows.pop().expect("a row"))
}

pub(crate) fn fields(row: Row) -> Value {
    Value::Object(row.content.expect("fields").values)
}

/// The faults of a row's cells.
pub(crate) fn faults(row: &Row) -> &[(&'static str, CellFault)] {
    &row.content.as_ref().expect("fields").faults
}

/// The sample row as it is read from all forms.
pub(crate) fn sample() -> Value {
    json!({
        "namaPembawa": "Adit", "noTelp": "082148523421", "tipeUnit": "BeAT Street",
        "noPol": "D 123 AD", "createdTime": "31/12/2019 15:40:50",
        "modifiedTime": "31/12/2019 15:40:50", "dealerId": "0009999"
    })
}

/// The sample row with another value.
pub(crate) fn sample_with(name: &str, value: impl Into<Value>) -> Value {
    let mut sample = sample();
    sample[name] = value.into();
    sample
}
