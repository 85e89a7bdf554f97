//! Rows as they are sent to a service: CSV with the fields that were read, or JSON lines as they were.

use std::collections::BTreeSet;

use api_types::wire_name;
use domain::requests::Field;
use domain::values::{IdempotencyKey, parse_local_time};
use serde_json::{Map, Value};
use tables::{
    Form, IDEMPOTENCY_KEY, Row, VARIABLE_PREFIX, column_names, csv_writer, is_local_time,
};

/// Rows, written down.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    /// The type of the content.
    pub(super) kind: &'static str,
    /// How many rows there was room for.
    pub(super) rows: usize,
}

/// Writes rows that have fields, as many as there is room for and at least one. Each has a key, its own or
/// one that tells its place in the file.
pub(super) fn table<'a>(
    rows: impl Iterator<Item = &'a Row>,
    key: Option<&IdempotencyKey>,
    most: usize,
) -> anyhow::Result<Written> {
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

fn lines(all: &[Map<String, Value>], most: usize) -> anyhow::Result<Written> {
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
    Ok(Written {
        bytes,
        kind: Form::JsonLines.media_type(),
        rows,
    })
}

fn csv(all: &[Map<String, Value>], most: usize) -> anyhow::Result<Written> {
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
    Ok(Written {
        bytes: writer.into_inner()?,
        kind: Form::Csv.media_type(),
        rows,
    })
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
    use tables::{Options, Table};

    use std::process::ExitCode;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    use super::super::case::{self, Case};
    use super::super::target::Target;
    use super::super::{Tally, key, open, transfer};
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
        assert_eq!((written.kind, written.rows), ("text/csv", 2));
        let text = String::from_utf8(written.bytes).expect("text");
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
            assert_eq!(table(all.iter(), None, 1).expect("written").rows, 1);
            assert_eq!(table(all.iter(), None, 10_000).expect("written").rows, 2);
        }
    }

    /// Reads a whole request; its head in small letters.
    async fn read_request(stream: &mut TcpStream) -> String {
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read).to_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.split("content-length: ").nth(1).unwrap_or_default();
                let length = length.lines().next().unwrap_or_default();
                if body.len() >= length.parse::<usize>().expect("a length") {
                    return head.to_owned();
                }
            }
            assert!(stream.read_buf(&mut read).await.expect("read") > 0);
        }
    }

    /// A service that gives these answers, one after the other; it tells when they were asked for.
    async fn answers(all: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<Instant>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in all {
                let (mut stream, _) = listener.accept().await.expect("a call");
                let head = read_request(&mut stream).await;
                asked.push(Instant::now());
                assert!(head.starts_with("post /api/v1/customer/validate-customers"));
                stream.write_all(answer.as_bytes()).await.expect("answered");
            }
            asked
        });
        (url, serving)
    }

    fn answer(status: &str, header: &str, body: &Value) -> String {
        let body = body.to_string();
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{header}\r\n{body}"
        )
    }

    #[tokio::test]
    async fn a_service_that_is_busy_is_asked_again_when_it_says_and_not_before() {
        let busy = json!({"error": {"code": 503, "message": "busy", "type": "Busy"}});
        let id = "23f16411-6eb2-4829-a964-9ad1f0e0cc22";
        let stored = json!({
            "status": 1, "message": {"confirmation": "2 dari 2 data berhasil disimpan"},
            "data": {
                "accepted": 2, "rejected": 0, "replayed": 0, "queues": [],
                "items": [{"row": 1, "status": 1, "request_id": id}, {"row": 2, "status": 1, "request_id": id}]
            }
        });
        let (url, serving) = answers(vec![
            answer("503 Service Unavailable", "Retry-After: 2\r\n", &busy),
            answer("200 OK", "", &stored),
        ])
        .await;
        let case = Case::of(&case::rows(&["Adit", "Budi"]));
        let key = key(&case.options).expect("a key");
        let target = Target::at(&url, &case.options, key).expect("a target");
        let table = open(&case.options.file, false).expect("a table");
        let mut tally = Tally::default();
        let status = transfer(table, &target, &case.options, &mut tally).await;
        assert_eq!(status.expect("its end"), ExitCode::SUCCESS);
        assert_eq!((tally.read, tally.stored, tally.rejected), (2, 2, 0));
        let asked = serving.await.expect("both answers");
        // The first wait would be half of it otherwise.
        assert!(asked[1] - asked[0] >= Duration::from_secs(2));
    }
}
