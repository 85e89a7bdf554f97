//! The import: checked, stored once, mended.

use std::sync::Arc;

use actix_web::test::TestRequest;
use domain::access::Scope;
use domain::ports::{DateRange, MockDealerDirectory, PageQuery, RequestFilter, StoreError};
use testkit::sample;

use crate::site::{Reply, Site};

const GOOD: &str = "Adit;0812 0000 0001;BeAT Street;D 123 AD";

/// A table of rows for the sample dealer.
fn table(rows: &[&str]) -> String {
    let mut table = "nama pembawa;no_telp;Tipe Unit;noPol\r\n".to_owned();
    for row in rows {
        table.push_str(row);
        table.push_str("\r\n");
    }
    table
}

/// Posts a form as a browser does that has a file in it.
async fn post(site: &Site, path: &str, cookie: &str, parts: &[(&str, &str)]) -> Reply {
    let mut body = String::new();
    for (name, value) in parts {
        let file = match *name {
            "file" => "; filename=\"daftar hari ini.csv\"",
            _ => "",
        };
        body.push_str(&format!(
            "--bound\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--bound--\r\n");
    let request = TestRequest::post()
        .uri(path)
        .insert_header(("Host", "customer.example"))
        .insert_header(("Cookie", cookie.to_owned()))
        .insert_header(("Sec-Fetch-Site", "same-origin"))
        .insert_header(("Content-Type", "multipart/form-data; boundary=bound"))
        .set_payload(body);
    site.send(request).await
}

/// The hidden fields with which a page goes on.
fn carried(page: &str) -> Vec<(&'static str, String)> {
    let value = |name: &str| {
        let begin = format!("name=\"{name}\" value=\"");
        let rest = page.split_once(&begin)?.1;
        Some(rest.split('"').next()?.to_owned())
    };
    let names = ["name", "form", "table", "dealer_id"];
    names
        .into_iter()
        .filter_map(|name| Some((name, value(name)?)))
        .collect()
}

async fn go_on(site: &Site, path: &str, cookie: &str, page: &str) -> Reply {
    let fields = carried(page);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    post(site, path, cookie, &fields).await
}

async fn requests(site: &Site) -> u64 {
    let query = PageQuery {
        dealer: sample::dealer_id(),
        range: DateRange::default(),
        filter: RequestFilter::default(),
        page: 1,
        after: None,
        page_size: 100,
    };
    site.world
        .services()
        .lookups
        .list(&query)
        .await
        .unwrap()
        .total
}

#[actix_web::test]
async fn a_table_is_checked_then_stored_and_a_repeated_form_stores_nothing_more() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let rows = table(&[
        GOOD,
        "Sri;021 555;Vario;B 1 A",
        "Budi;8,21E+11;Scoopy;B 2 A",
        ";081200000004;PCX;polisi",
        "Dewi;081200000005;Genio;B 5 A",
    ]);
    let checked = post(
        &site,
        "/console/import",
        &cookie,
        &[("file", &rows), ("paste", "")],
    )
    .await;
    assert_eq!(checked.status, 200, "{}", checked.body);
    let page = &checked.body;
    for words in [
        "5 baris: 2 baris bisa disimpan.",
        "3 baris salah.",
        "Belum ada yang disimpan.",
        "Simpan dan kirim 2 baris",
        "daftar hari ini.csv",
        "bukan nomor HP Indonesia",
        "Excel memendekkan nomor ini",
        "wajib diisi",
        "<bdi>021 555</bdi>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(requests(&site).await, 0);
    let stored = go_on(&site, "/console/import/store", &cookie, page).await;
    assert_eq!(stored.status, 200);
    assert!(stored.body.starts_with("<!DOCTYPE html>") && stored.body.ends_with("</html>"));
    assert!(
        stored.body.contains("2 baris tersimpan dan masuk antrean."),
        "{}",
        stored.body
    );
    assert_eq!(requests(&site).await, 2);
    // The form once more, and the whole file with one row mended.
    let again = go_on(&site, "/console/import/store", &cookie, page).await;
    assert!(
        again.body.contains("2 baris sudah tersimpan dalam 24 jam"),
        "{}",
        again.body
    );
    assert_eq!(requests(&site).await, 2);
    let mended = rows.replace("021 555", "081200000002");
    let checked = post(&site, "/console/import", &cookie, &[("file", &mended)]).await;
    assert!(
        checked.body.contains("2 baris sudah tersimpan"),
        "{}",
        checked.body
    );
    let stored = go_on(&site, "/console/import/store", &cookie, &checked.body).await;
    assert!(stored.body.contains("1 baris tersimpan"), "{}", stored.body);
    assert_eq!(requests(&site).await, 3);
}

#[actix_web::test]
async fn faulty_rows_come_back_as_a_file_of_the_same_kind() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let rows = table(&[GOOD, "Sri;021 555;Vario;B 1 A"]);
    let checked = post(&site, "/console/import", &cookie, &[("file", &rows)]).await;
    let file = go_on(&site, "/console/import/faulty", &cookie, &checked.body).await;
    let name = "attachment; filename=\"daftar_hari_ini-salah.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    let lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(
        lines[0],
        "nama pembawa;no_telp;Tipe Unit;noPol;baris;alasan"
    );
    assert!(
        lines[1].starts_with("Sri;021 555;Vario;B 1 A;3;noTelp: bukan nomor HP"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    // Mended, that file is a table again.
    let mended = file.body.replace("021 555", "081200000002");
    let checked = post(&site, "/console/import", &cookie, &[("file", &mended)]).await;
    assert!(
        checked.body.contains("1 baris: 1 baris bisa disimpan."),
        "{}",
        checked.body
    );
}

#[actix_web::test]
async fn a_dealers_key_imports_for_itself_alone() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let cookie = site.dealer(Scope::Write).await;
    assert!(
        !site
            .get("/console/import", &cookie)
            .await
            .body
            .contains("name=\"dealer_id\"")
    );
    let rows = format!(
        "dealerId,namaPembawa,noTelp,tipeUnit,noPol\n{},Sri,081200000002,Vario,B 1 A\n,Adit,081200000001,BeAT,B 2 A\n",
        other.id
    );
    let checked = post(&site, "/console/import", &cookie, &[("paste", &rows)]).await;
    assert!(
        checked.body.contains("kunci Anda bukan untuk dealer ini"),
        "{}",
        checked.body
    );
    assert!(checked.body.contains("2 baris: 1 baris bisa disimpan."));
    let foreign = [("paste", rows.as_str()), ("dealer_id", other.id.as_str())];
    for path in [
        "/console/import",
        "/console/import/store",
        "/console/import/faulty",
    ] {
        assert_eq!(
            post(&site, path, &cookie, &foreign).await.status,
            404,
            "{path}"
        );
    }
    let reader = site.dealer(Scope::Read).await;
    assert_eq!(site.get("/console/import", &reader).await.status, 403);
    assert!(
        !site
            .get("/console", &reader)
            .await
            .body
            .contains("/console/import")
    );
    for path in [
        "/console/import",
        "/console/import/store",
        "/console/import/faulty",
    ] {
        assert_eq!(
            post(&site, path, &reader, &[("paste", "x")]).await.status,
            403,
            "{path}"
        );
    }
    // Head office names the dealer, or its rows do.
    let office = site.head_office().await;
    let plain = table(&[GOOD]);
    let missing = post(&site, "/console/import", &office, &[("paste", &plain)]).await;
    assert_eq!(missing.status, 422);
    assert!(
        missing.body.contains("Kolom dealerId tidak ada."),
        "{}",
        missing.body
    );
    assert!(
        missing.body.contains("Adit;0812 0000 0001"),
        "what was typed is kept"
    );
    let of_dealer = [("paste", plain.as_str()), ("dealer_id", "0009999")];
    let checked = post(&site, "/console/import", &office, &of_dealer).await;
    let stored = go_on(&site, "/console/import/store", &office, &checked.body).await;
    assert!(stored.body.contains("1 baris tersimpan"), "{}", stored.body);
    let wrong = [("paste", plain.as_str()), ("dealer_id", "1")];
    let wrong = post(&site, "/console/import", &office, &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("4 sampai 10 karakter"));
}

#[actix_web::test]
async fn what_is_no_table_is_refused_in_words() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let english = format!("{cookie}; console_language=en");
    for (pasted, indonesian, in_english) in [
        ("", "Pilih berkas atau tempel", "Choose a file or paste"),
        (
            "nama;telp\n1;2",
            "Kolom namaPembawa tidak ada.",
            "There is no column namaPembawa.",
        ),
        ("[1,", "bukan JSON", "not JSON"),
        (
            &table(&["A;081200000001;B;\"C"]),
            "Tanda kutip di baris 2",
            "quotation mark in line 2",
        ),
    ] {
        for (cookie, words) in [(&cookie, indonesian), (&english, in_english)] {
            let reply = post(&site, "/console/import", cookie, &[("paste", pasted)]).await;
            assert_eq!(reply.status, 422, "{pasted}");
            assert!(reply.body.contains(words), "{words}: {}", reply.body);
        }
    }
    let many: Vec<&str> = std::iter::repeat_n(GOOD, 10_001).collect();
    let many = post(
        &site,
        "/console/import",
        &cookie,
        &[("file", &table(&many))],
    )
    .await;
    assert!(
        many.body.contains("lebih dari 10.000 baris"),
        "{}",
        many.body
    );
    for path in ["/console/import/store", "/console/import/faulty"] {
        let nonsense = [("form", "csv"), ("table", "!")];
        assert_eq!(
            post(&site, path, &cookie, &nonsense).await.status,
            400,
            "{path}"
        );
    }
    assert_eq!(
        site.post("/console/import", &cookie, "paste=x")
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn at_most_500_faulty_rows_are_shown_and_hostile_cells_are_only_text() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let hostile = "<script>alert(1)</script>;x;\u{202e}abc;B 1 A";
    let rows: Vec<&str> = std::iter::repeat_n(hostile, 600).collect();
    let checked = post(
        &site,
        "/console/import",
        &cookie,
        &[("file", &table(&rows))],
    )
    .await;
    assert!(checked.body.contains("600 baris salah."));
    assert!(checked.body.contains("Yang pertama 500 baris ditampilkan"));
    assert_eq!(checked.body.matches("&lt;script&gt;").count(), 500);
    assert_eq!(checked.body.matches("<script").count(), 1);
    assert!(!checked.body.contains("Simpan dan kirim"));
}

#[actix_web::test]
async fn a_row_that_stands_there_twice_is_meant_twice() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let checked = post(
        &site,
        "/console/import",
        &cookie,
        &[("file", &table(&[GOOD, GOOD]))],
    )
    .await;
    for expected in ["2 baris tersimpan", "2 baris sudah tersimpan"] {
        let stored = go_on(&site, "/console/import/store", &cookie, &checked.body).await;
        assert!(
            stored.body.contains(expected),
            "{expected}: {}",
            stored.body
        );
    }
    assert_eq!(requests(&site).await, 2);
}

/// Every row that is missing there would be lost: nobody could tell.
#[actix_web::test]
async fn a_file_of_faulty_rows_has_all_of_them_or_is_none() {
    let mut site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let rows = table(&[GOOD, "Sri;021 555;Vario;B 1 A"]);
    let checked = post(&site, "/console/import", &cookie, &[("file", &rows)]).await;
    let file = go_on(&site, "/console/import/faulty", &cookie, &checked.body).await;
    assert_eq!(file.status, 200);
    assert!(file.body.contains("021 555"));
    let mut dealers = MockDealerDirectory::new();
    dealers
        .expect_find()
        .returning(|_| Err(StoreError::Unavailable("it is away".into())));
    site.ports.dealers = Arc::new(dealers);
    let file = go_on(&site, "/console/import/faulty", &cookie, &checked.body).await;
    assert_eq!((file.status, file.header("retry-after")), (503, Some("5")));
}

#[actix_web::test]
async fn whoever_changes_the_language_after_an_import_comes_to_a_page() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let checked = post(
        &site,
        "/console/import",
        &cookie,
        &[("file", &table(&[GOOD]))],
    )
    .await;
    let stored = go_on(&site, "/console/import/store", &cookie, &checked.body).await;
    let looked_at = site.get("/console/import/store", &cookie).await;
    assert_eq!(looked_at.status, 405);
    for page in [checked.body, stored.body, looked_at.body] {
        let next = "name=\"next\" value=\"/console/import\"";
        assert!(page.contains(next), "{page}");
    }
}
