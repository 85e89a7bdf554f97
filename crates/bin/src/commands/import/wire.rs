//! Rows as they are sent to a service: CSV with the fields that were read, or JSON lines as they were.

use std::collections::BTreeSet;

use api_types::wire_name;
use customer_service_client::Table;
use domain::requests::Field;
use domain::values::{IdempotencyKey, parse_local_time};
use serde_json::{Map, Value};
use tables::{IDEMPOTENCY_KEY, Row, VARIABLE_PREFIX, column_names, csv_writer, is_local_time};

/// Writes rows that have fields, as many as there is room for and at least one. Each has a key, its own or
/// one that tells its place in the file. Also tells how many there was room for.
pub(super) fn table<'a>(
    rows: impl Iterator<Item = &'a Row>,
    key: Option<&IdempotencyKey>,
    most: usize,
) -> anyhow::Result<(Table, usize)> {
    let mut all = Vec::new();
    let mut is_table = false;
    for row in rows {
        let Ok(fields) = &row.content else {
            continue;
        };
        is_table = fields.times_may_be_absent;
        let mut values = fields.values.clone();
        if let Some(key) = key
            && values.get(IDEMPOTENCY_KEY).is_none_or(Value::is_null)
        {
            let key = format!("{}/{}", key.as_str(), row.number);
            values.insert(IDEMPOTENCY_KEY.to_owned(), key.into());
        }
        all.push(values);
    }
    if is_table {
        csv(&all, most)
    } else {
        lines(&all, most)
    }
}

fn lines(all: &[Map<String, Value>], most: usize) -> anyhow::Result<(Table, usize)> {
    let (mut bytes, mut rows) = (Vec::new(), 0);
    for values in all {
        let line = serde_json::to_vec(values)?;
        if rows > 0 && bytes.len() + line.len() > most {
            break;
        }
        bytes.extend(line);
        bytes.push(b'\n');
        rows += 1;
    }
    Ok((Table::json_lines(bytes), rows))
}

fn csv(all: &[Map<String, Value>], most: usize) -> anyhow::Result<(Table, usize)> {
    let variables = wire_name(Field::Variables);
    let named = |values: &Map<String, Value>| -> Vec<String> {
        let variables = values.get(variables).and_then(Value::as_object);
        variables
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let of_template: BTreeSet<String> = all.iter().flat_map(named).collect();
    let columns: Vec<&str> = column_names().collect();
    let mut writer = csv_writer(b',');
    let further = of_template
        .iter()
        .map(|name| format!("{VARIABLE_PREFIX}{name}"));
    writer.write_record(columns.iter().map(|name| (*name).to_owned()).chain(further))?;
    let (mut rows, mut length) = (0, 0);
    for values in all {
        let cell = |name: &str| written(name, values.get(name));
        let of_variable = |name: &String| {
            let texts = values.get(variables);
            written("", texts.and_then(|texts| texts.get(name)))
        };
        let cells = columns.iter().map(|name| cell(name));
        let cells: Vec<String> = cells.chain(of_template.iter().map(of_variable)).collect();
        // With quotes no cell is more than twice as long.
        length += cells.iter().map(|cell| 2 * cell.len() + 3).sum::<usize>();
        if rows > 0 && length > most {
            break;
        }
        writer.write_record(&cells)?;
        rows += 1;
    }
    Ok((Table::csv(writer.into_inner()?), rows))
}

/// A cell that is read back as this value. Times are in a form whose order nobody can doubt.
fn written(name: &str, value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    match parse_local_time(text) {
        Ok(time) if is_local_time(name) => time.format("%Y-%m-%dT%H:%M:%S").to_string(),
        _ if text.starts_with('\'') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use serde_json::json;
    use tables::{Form, Options, Table};

    use super::*;

    fn rows(form: Form, text: &str) -> Vec<Row> {
        let options = Options {
            most_rows: 100,
            most_unpacked: 0,
            has_dealer: true,
            keep_cells: false,
        };
        let source = Box::new(Cursor::new(text.to_owned()));
        let mut table = Table::open(form, source, &options).expect("a table");
        table.next_rows(100).expect("rows")
    }

    const TABLE: &str = "namaPembawa;noTelp;tipeUnit;noPol;createdTime;var.km;idempotencyKey\n\
        \"Adit, \"\"Bos\"\"\";082148523421;BeAT;''D 1 A;31/12/2019;12.000;own\n\
        Budi;0812;Vario;D 2 A;;;\n";

    #[test]
    fn rows_of_a_table_are_read_back_as_they_were() {
        let key = IdempotencyKey::parse("K").expect("a key");
        let before = rows(Form::Csv, TABLE);
        let written = table(before.iter(), Some(&key), 1_000_000).expect("written");
        let (written, count) = written;
        assert_eq!((written.content_type(), count), ("text/csv", 2));
        let text = String::from_utf8(written.bytes().to_vec()).expect("text");
        let after = rows(Form::Csv, &text);
        let fields =
            |row: &Row| Value::Object(row.content.as_ref().expect("fields").values.clone());
        assert_eq!(fields(&after[0]), fields(&before[0]));
        let mut second = fields(&before[1]);
        second["idempotencyKey"] = json!("K/2");
        assert_eq!(fields(&after[1]), second);
    }

    #[test]
    fn as_many_rows_are_written_as_there_is_room_for() {
        for (form, text) in [
            (Form::Csv, TABLE),
            (Form::JsonLines, "{\"a\":1}\n{\"a\":2}\n"),
        ] {
            let all = rows(form, text);
            assert_eq!(table(all.iter(), None, 1).expect("written").1, 1);
            assert_eq!(table(all.iter(), None, 10_000).expect("written").1, 2);
        }
    }
}
