//! Whole imports, of files into the use case over replaced ports, and to a service.

use std::fs;
use std::sync::Mutex;

use domain::dealers::Dealer;
use domain::ports::{Accepted, BoxError, MockRequestStore, StoreError};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{World, sample};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const HEADER: &str = "namaPembawa;noTelp;tipeUnit;noPol;dealerId";

/// A file to import, alone in its folder.
struct Case {
    folder: TempDir,
    options: Import,
}

impl Case {
    fn of(text: &str) -> Self {
        Self::named("rows.csv", text)
    }

    fn named(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        fs::write(&file, content).expect("written");
        let options = Import {
            file,
            dealer: None,
            template: None,
            dry_run: false,
            skip: 0,
            key: Some("K".to_owned()),
            url: None,
            api_key_file: None,
        };
        Self { folder, options }
    }

    /// Imports the file through this store.
    async fn through(&self, requests: MockRequestStore) -> anyhow::Result<ExitCode> {
        self.counted(requests).await.0
    }

    /// The same, and how far it came.
    async fn counted(&self, requests: MockRequestStore) -> (anyhow::Result<ExitCode>, Tally) {
        let world = World::new();
        world.store.put_dealer(Dealer {
            api_key: None,
            ..sample::dealer_numbered(1)
        });
        let mut ports = world.ports();
        ports.requests = Arc::new(requests);
        let intake = world.services_over(&ports).intake;
        let key = key(&self.options).expect("a key");
        let target = Target::over(intake, &self.options, key);
        let table = open(&self.options.file, false).expect("a table");
        let mut tally = Tally::default();
        let status = transfer(table, &target, &self.options, &mut tally).await;
        (status, tally)
    }

    /// Why its rows were rejected.
    fn reasons(&self) -> Vec<String> {
        let path = self.folder.path().join("rows.rejected.csv");
        let mut table = open(&path, true).expect("a table");
        let rows = table.next_rows(usize::MAX).expect("rows");
        let reason = |mut row: Row| row.cells.pop().expect("a reason");
        rows.into_iter().map(reason).collect()
    }

    fn rejected(&self) -> String {
        let path = self.folder.path().join("rows.rejected.csv");
        fs::read_to_string(path).expect("a file of rejected rows")
    }
}

fn rows(names: &[&str]) -> String {
    let row = |name: &&str| format!("{name};081200000001;BeAT;D 1 A;0009999\n");
    format!("{HEADER}\n{}", names.iter().map(row).collect::<String>())
}

#[tokio::test(start_paused = true)]
async fn a_row_that_can_never_be_stored_is_rejected_and_the_others_are_stored() {
    let mut store = MockRequestStore::new();
    // Nothing is tried again.
    store.expect_accept_all().times(1).returning(|requests| {
        let answer = |request: &domain::requests::NewRequest| match request
            .submission
            .customer_name
            .as_str()
        {
            "Budi" => Err(StoreError::Rejected(BoxError::from("too long"))),
            _ => Ok(Accepted::Stored),
        };
        requests.iter().map(answer).collect()
    });
    let case = Case::of(&rows(&["Adit", "Budi", "Cici"]));
    let status = case.through(store).await.expect("it comes to its end");
    assert_eq!(status, ExitCode::from(SOME_REJECTED));
    let told = case.rejected();
    assert_eq!(
        told.lines().nth(1),
        Some("Budi;081200000001;BeAT;D 1 A;0009999;3;database tidak dapat menyimpan data ini")
    );
    assert_eq!(told.lines().count(), 2);
}

/// The keys that rows came under.
type Keys = Arc<Mutex<Vec<String>>>;

/// A store that takes rows until `most` of them came, is away from then on, and writes down their keys.
fn takes(most: usize, keys: &Keys) -> MockRequestStore {
    let mut store = MockRequestStore::new();
    let (keys, mut taken) = (keys.clone(), 0);
    store.expect_accept_all().returning(move |requests| {
        let mut keys = keys.lock().expect("the keys");
        let mut answers = Vec::new();
        for request in requests {
            let key = &request.once.as_ref().expect("a key").key;
            answers.push(if taken == most {
                Err(StoreError::Unavailable("away".into()))
            } else {
                taken += 1;
                keys.push(key.as_str().to_owned());
                Ok(Accepted::Stored)
            });
        }
        answers
    });
    store
}

#[tokio::test(start_paused = true)]
async fn an_import_that_goes_on_keeps_its_keys_and_the_rows_rejected_before() {
    let row = |n: usize| {
        let phone = match n {
            1 | 10_000 | 10_001 => "021",
            _ => "081200000001",
        };
        format!("Adit {n};{phone};BeAT;D 1 A;0009999\n")
    };
    let text: String = (1..=10_003).map(row).collect();
    let mut case = Case::of(&format!("{HEADER}\n{text}"));
    let keys = Keys::default();
    // The rows of 50 statements but for two, and none of the next block.
    let stopped = case.through(takes(9_998, &keys)).await;
    assert!(stopped.is_err());
    let first = case.rejected();
    assert_eq!(first.lines().count(), 3, "{first}");
    assert_eq!(
        keys.lock().expect("the keys").last().map(String::as_str),
        Some("K/9999")
    );

    case.options.skip = 10_000;
    keys.lock().expect("the keys").clear();
    let status = case.through(takes(usize::MAX, &keys)).await;
    assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
    assert_eq!(*keys.lock().expect("the keys"), ["K/10002", "K/10003"]);
    let told = case.rejected();
    assert!(told.starts_with(&first), "{told}");
    let last = told.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "Adit 10001;021;BeAT;D 1 A;0009999;10002;noTelp: minimal 8 karakter"
    );
    assert_eq!(told.lines().count(), 4, "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_was_done_before_the_store_went_away_is_not_done_again() {
    let all: Vec<String> = (1..=450).map(|n| format!("Adit {n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let text = rows(&all).replacen("081200000001", "021", 1);
    let mut case = Case::of(&text);
    let keys = Keys::default();
    let (stopped, tally) = case.counted(takes(199, &keys)).await;
    assert!(stopped.is_err());
    assert_eq!((tally.read, tally.stored, tally.rejected), (200, 199, 1));
    case.options.skip = tally.read;
    let status = case.through(takes(usize::MAX, &keys)).await;
    assert_eq!(status.expect("its end"), ExitCode::SUCCESS);
    let told = case.rejected();
    assert_eq!(told.matches("Adit 1;").count(), 1, "{told}");
}

#[tokio::test(start_paused = true)]
async fn rows_that_an_earlier_import_rejected_are_not_those_of_a_new_one() {
    let mut case = Case::of(&rows(&["Adit", "Budi"]).replacen("081200000001", "021", 1));
    let keys = Keys::default();
    let status = case.through(takes(usize::MAX, &keys)).await;
    assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
    // The file is mended; its second row is not stored yet.
    fs::write(&case.options.file, rows(&["Adit", "Budi", "Cici"])).expect("written");
    case.options.skip = 2;
    case.through(takes(usize::MAX, &keys))
        .await
        .expect("its end");
    assert!(
        case.rejected().contains("Adit"),
        "nothing is known of rows passed over"
    );
    case.options.skip = 0;
    let stopped = case.through(takes(0, &keys)).await;
    assert!(stopped.is_err());
    assert!(case.rejected().contains("Adit"), "nothing was read");
    let mut store = MockRequestStore::new();
    let mut calls = 0;
    store.expect_accept_all().returning(move |requests| {
        calls += 1;
        let answer = |_| match calls {
            1 => Ok(Accepted::Stored),
            _ => Err(StoreError::Unavailable("away".into())),
        };
        requests.iter().map(answer).collect()
    });
    let all: Vec<String> = (0..300).map(|n| format!("Adit {n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    fs::write(&case.options.file, rows(&all)).expect("written");
    assert!(case.through(store).await.is_err());
    assert!(!case.folder.path().join("rows.rejected.csv").exists());
}

/// Words of the sentences that callers of the API know, and of no Indonesian one.
const ENGLISH: [&str; 32] = [
    "the",
    "should",
    "must",
    "not",
    "is",
    "be",
    "expected",
    "invalid",
    "input",
    "field",
    "required",
    "value",
    "error",
    "characters",
    "least",
    "most",
    "allowed",
    "extra",
    "permitted",
    "number",
    "cell",
    "holds",
    "with",
    "of",
    "this",
    "used",
    "for",
    "still",
    "entries",
    "service",
    "there",
    "decode",
];

fn assert_indonesian(reasons: &[String]) {
    for reason in reasons {
        let mut words = reason.split(|c: char| !c.is_alphabetic());
        let found = words.find(|word| ENGLISH.contains(&word.to_lowercase().as_str()));
        assert_eq!(found, None, "{reason}");
    }
}

/// Rows of JSON, each of which is rejected for another reason.
fn odd_rows() -> Vec<String> {
    let many: serde_json::Map<String, Value> =
        (0..21).map(|n| (format!("x{n}"), json!("y"))).collect();
    let odd = [
        ("namaPembawa", json!(7)),
        ("namaPembawa", json!("a".repeat(300))),
        ("namaPembawa", json!("a\nb")),
        ("namaPembawa", json!(" ")),
        ("namaPembawa", json!("a".repeat(70_000))),
        ("noTelp", json!("1")),
        ("noTelp", json!("0712345678")),
        ("createdTime", json!("x")),
        ("sendAt", json!("x")),
        ("sendAt", json!("2099-01-01T00:00:00Z")),
        ("variables", json!(7)),
        ("variables", json!({"x": "y"})),
        ("variables", json!({"x": 7})),
        ("variables", json!({"x": "a\nb"})),
        ("variables", json!({"x": "y".repeat(501)})),
        ("variables", Value::Object(many)),
        ("template", json!("tidakada")),
        ("template", json!("")),
        ("dealerId", json!("0000001")),
        ("dealerId", json!("0010001")),
        ("dealerId", json!("1")),
        ("idempotencyKey", json!("a b")),
        ("idempotencyKey", json!(7)),
    ];
    let with = |(name, value): (&str, Value)| {
        let mut row = json!({
            "namaPembawa": "Adit", "noTelp": "081200000001", "tipeUnit": "BeAT", "noPol": "D 1 A",
            "createdTime": "31/12/2019 15:40:50", "modifiedTime": "31/12/2019 15:40:50",
            "dealerId": "0009999",
        });
        row[name] = value;
        row.to_string()
    };
    let broken = ["{}", "7", "null", "{\"namaPembawa\": x}"].map(str::to_owned);
    odd.into_iter().map(with).chain(broken).collect()
}

/// A store in which no key was used, and to which no row may come.
fn unused() -> MockRequestStore {
    let mut store = MockRequestStore::new();
    store
        .expect_key_uses()
        .returning(|uses| Ok(vec![None; uses.len()]));
    store
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_with_a_row_is_told_in_indonesian() {
    let rows = odd_rows();
    let case = Case::named("rows.ndjson", rows.join("\n"));
    let status = case.through(unused()).await;
    assert_eq!(status.expect("its end"), ExitCode::from(SOME_REJECTED));
    let reasons = case.reasons();
    assert_eq!(reasons.len(), rows.len());
    assert_indonesian(&reasons);

    let mut table = b"namaPembawa,noTelp,tipeUnit,noPol,dealerId,createdTime,var.km\n".to_vec();
    let odd: [&[u8]; 6] = [
        b"#N/A,081200000001,BeAT,D 1 A,0009999,,",
        b"Adit,\"8,21E+11\",BeAT,D 1 A,0009999,,",
        b"Adit,81200000001.0,BeAT,D 1 A,0009999,,",
        b"Adit,081200000001,BeAT,D 1 A,0009999,45000,",
        b"Adit,081200000001,BeAT,D 1 A,0009999,,#REF!",
        b"Ad\xffit,081200000001,BeAT,D 1 A,0009999,,",
    ];
    table.extend(odd.join(&b'\n'));
    let case = Case::named("rows.csv", table);
    case.through(unused()).await.expect("its end");
    let reasons = case.reasons();
    assert_eq!(reasons.len(), odd.len());
    assert_indonesian(&reasons);

    // What the store says of a row.
    let mut store = MockRequestStore::new();
    store.expect_accept_all().returning(|_| {
        let never = StoreError::Rejected(BoxError::from("too long"));
        vec![Ok(Accepted::KeyReused), Err(never)]
    });
    let case = Case::of(&self::rows(&["Adit", "Budi"]));
    case.through(store).await.expect("its end");
    let reasons = case.reasons();
    assert_eq!(reasons.len(), 2);
    assert_indonesian(&reasons);
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
async fn answers(all: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<tokio::time::Instant>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in all {
            let (mut stream, _) = listener.accept().await.expect("a call");
            let head = read_request(&mut stream).await;
            asked.push(tokio::time::Instant::now());
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
    let case = Case::of(&rows(&["Adit", "Budi"]));
    let key = key(&case.options).expect("a key");
    let target = Target::at(&url, &case.options, key).expect("a target");
    let table = open(&case.options.file, false).expect("a table");
    let mut tally = Tally::default();
    let status = transfer(table, &target, &case.options, &mut tally).await;
    assert_eq!(status.expect("its end"), ExitCode::SUCCESS);
    assert_eq!((tally.read, tally.stored, tally.rejected), (2, 2, 0));
    let asked = serving.await.expect("both answers");
    // The first wait would be half of it otherwise.
    assert!(asked[1] - asked[0] >= std::time::Duration::from_secs(2));
}
