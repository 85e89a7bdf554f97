//! Many submissions of one call, and files that are imported.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use api_types::BulkReply;
use tests_e2e::{DEALER, HEADER, Story, eventually, output, post_table, table};

/// The ids of all rows, which are all stored.
fn ids(reply: &BulkReply) -> Vec<String> {
    let items = reply.data.items.iter();
    items
        .map(|item| item.request_id.clone().flatten().expect("it is stored"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_killed_at_any_step_is_repeated_until_every_row_is_stored_once() {
    for (step, stored) in [("accept-all-before", 200), ("accept-all-after", 400)] {
        let story = Story::begin().await;
        // Nothing is sent meanwhile.
        story.simulator.stop_listening().await.expect("it stops");
        let mut service = story.serve_faulty("KILL", step, 2);
        assert!(post_table(&service, table(1_200), "K").await.is_err());
        eventually(step, async || service.has_ended().then_some(())).await;
        let count = "SELECT count(*) FROM customer.customer_validation_request";
        assert_eq!(story.count(count).await, stored, "{step}");

        let service = story.serve();
        let first = post_table(&service, table(1_200), "K")
            .await
            .expect("an answer");
        assert_eq!((first.data.accepted, first.data.rejected), (1_200, 0));
        assert_eq!(first.data.replayed as i64, stored, "{step}");
        let again = post_table(&service, table(1_200), "K")
            .await
            .expect("an answer");
        assert_eq!(again.data.replayed, 1_200);
        assert_eq!(ids(&again), ids(&first));
        assert_eq!(story.count(count).await, 1_200);
        let phones = "SELECT count(DISTINCT target) FROM customer.message WHERE kind = 'bulk'";
        assert_eq!(story.count(phones).await, 1_200);
    }
}

fn import(story: &Story, file: &Path, options: &[&str]) -> Output {
    let file = file.to_str().expect("a path");
    let arguments: Vec<&str> = ["import", file]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    output(&arguments, &story.settings())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_and_what_is_rejected_is_told_in_the_same_dialect() {
    let story = Story::begin().await;
    story.simulator.stop_listening().await.expect("it stops");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pelanggan.csv");
    let mut text = format!("\u{feff}sep=;\r\n{}", table(700));
    text.push_str("Budi;021;BeAT;D 1 A;0000001\r\n'Cici;8,21E+11;;D 1 A;0000001\r\nDodi;081200009999;BeAT;D 1 A;0000001\r\n");
    fs::write(&file, &text).expect("written");

    let tried = import(&story, &file, &["--dry-run"]);
    assert_eq!(tried.status.code(), Some(1), "{tried:?}");
    let count = "SELECT count(*) FROM customer.customer_validation_request";
    assert_eq!(story.count(count).await, 0);

    let imported = import(&story, &file, &[]);
    assert_eq!(imported.status.code(), Some(1), "{imported:?}");
    let said = String::from_utf8_lossy(&imported.stdout).into_owned();
    assert!(
        said.contains("700 rows stored (0 of them before), 3 rejected."),
        "{said}"
    );
    let progress = String::from_utf8_lossy(&imported.stderr).into_owned();
    assert!(progress.contains("703/703 rows"), "{progress}");
    assert_eq!(story.count(count).await, 700);
    let rejected = folder.path().join("pelanggan.rejected.csv");
    let told = fs::read_to_string(&rejected).expect("rejected rows");
    let lines: Vec<&str> = told.split("\r\n").collect();
    assert_eq!(lines[0], "\u{feff}sep=;");
    assert_eq!(lines[1], format!("{HEADER};baris;alasan"));
    assert_eq!(
        lines[2],
        "Budi;021;BeAT;D 1 A;0000001;703;noTelp: minimal 8 karakter"
    );
    assert!(
        lines[3].starts_with("'Cici;8,21E+11;;D 1 A;0000001;704;"),
        "{}",
        lines[3]
    );
    assert!(
        lines[3].contains("noTelp: Nomor telepon") && lines[3].contains("tipeUnit: wajib diisi"),
        "{}",
        lines[3]
    );
    assert_eq!(
        lines[4],
        "Dodi;081200009999;BeAT;D 1 A;0000001;705;Dealer tidak ditemukan atau tidak aktif"
    );

    // Once more stores nothing, and the rejected rows can be mended and imported.
    let again = import(&story, &file, &[]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        said.contains("700 rows stored (700 of them before), 3 rejected."),
        "{said}"
    );
    let mended = told
        .replace(";021;", ";081200000001;")
        .replace("8,21E+11;;", "081200000002;Vario;")
        .replace("0000001", DEALER);
    fs::write(&rejected, mended).expect("written");
    let rest = import(&story, &rejected, &[]);
    assert_eq!(rest.status.code(), Some(0), "{rest:?}");
    assert_eq!(story.count(count).await, 703);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_by_a_running_service_under_a_key() {
    let story = Story::begin().await.with("API_AUTH", "required");
    story.simulator.stop_listening().await.expect("it stops");
    let service = story.serve();
    let made = output(
        &[
            "api-key", "create", "--name", "Bengkel", "--dealer", DEALER, "--scope", "write",
        ],
        &story.settings(),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key.txt");
    fs::write(&key, &made.stdout).expect("written");
    let file = folder.path().join("pelanggan.ndjson");
    let mut text = String::new();
    for n in 0..50 {
        let mut row = tests_e2e::submission(n);
        if n % 2 == 0 {
            row.as_object_mut().expect("an object").remove("dealerId");
        }
        let _ = writeln!(text, "{row}");
    }
    text.push_str("{\"namaPembawa\": x}\n7\n");
    fs::write(&file, &text).expect("written");
    let url = format!("http://127.0.0.1:{}", service.port());
    let key = key.to_str().expect("a path");
    let options = ["--url", &url, "--api-key-file", key];
    let imported = import(&story, &file, &options);
    let said = String::from_utf8_lossy(&imported.stdout).into_owned();
    assert_eq!(imported.status.code(), Some(1), "{imported:?}");
    assert!(
        said.contains("50 rows stored (0 of them before), 2 rejected."),
        "{said}"
    );
    let again = import(&story, &file, &options);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        said.contains("50 rows stored (50 of them before), 2 rejected."),
        "{said}"
    );
    // A table of another dealer.
    let file = folder.path().join("lain.csv");
    fs::write(&file, table(2).replace(DEALER, "0000001")).expect("written");
    let refused = import(&story, &file, &options);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let told = fs::read_to_string(folder.path().join("lain.rejected.csv")).expect("rejected rows");
    assert!(told.contains("kunci API bukan untuk dealer ini"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_come_to_its_end_exits_with_2() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pelanggan.csv");
    fs::write(&file, "nama;telepon\nAdit;0812\n").expect("written");
    for (path, options) in [
        (file.clone(), vec![]),
        (folder.path().join("nothing.csv"), vec![]),
        (folder.path().join("pelanggan.pdf"), vec![]),
    ] {
        let failed = import(&story, &path, &options);
        assert_eq!(failed.status.code(), Some(2), "{failed:?}");
    }
    fs::write(&file, table(2)).expect("written");
    let failed = import(
        &story,
        &file,
        &["--url", "http://127.0.0.1:9", "--key", "a b"],
    );
    assert_eq!(failed.status.code(), Some(2), "{failed:?}");
}
