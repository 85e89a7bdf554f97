//! What people do in the console beyond looking: templates, imports, downloads.

use std::path::Path;

use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use tests_e2e::{DEALER, Page, eventually, submission_of};

use crate::console::{Scene, click, fill, has, is_accessible, is_well, path, picture, width};

/// Rows on a page of the list.
const ROWS: u64 = 25;

/// Types into a field as a person does, so that scripts hear of it.
async fn type_in(page: &Page, selector: &str, text: &str) {
    fill(page, selector, text).await;
    let script = format!(
        "document.querySelector({}).dispatchEvent(new Event('input', {{bubbles: true}})); null",
        json!(selector)
    );
    page.run(&script).await;
}

/// What the simulator's phone shows.
async fn phone(scene: &Scene) -> Page {
    scene.browser.open(&scene.story.simulator.url()).await
}

async fn shows(page: &Page, words: &str) {
    eventually(words, async || has(page, words).await.then_some(())).await;
}

/// Posts a submission of the template `promo`.
async fn send_promo(scene: &Scene, n: u32) {
    let mut body = submission_of(DEALER, n);
    body["template"] = "promo".into();
    let headers = [("X-API-Key", scene.dealer_key.as_str())];
    let path = "/api/v1/customer/validate-customer";
    let reply = scene
        .service
        .send(Method::POST, path, Some(&body), &headers)
        .await
        .expect("the service answers");
    assert_eq!(reply.json()["status"], 1, "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_goes_from_draft_to_version_and_back() {
    let scene = Scene::begin(2).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    width(&page, 1440).await;
    click(&page, "nav a[href='/console/templates']").await;
    click(&page, "main a.primary").await;
    // The preview follows what is typed, on the newest real requests.
    type_in(
        &page,
        "#body",
        "Halo {customer_name}, unit {unit} sudah siap.",
    )
    .await;
    shows(&page, "Baris 1, huruf").await;
    type_in(
        &page,
        "#body",
        "Halo {customer_name}, unit {unit_type} sudah siap.",
    )
    .await;
    shows(&page, "Halo Adit, unit BeAT Street sudah siap.").await;
    shows(&page, "berbeda dari yang terkirim").await;
    is_well(&page, "a draft").await;
    is_accessible(&page, "a draft").await;
    picture(&page, "template-draft").await;
    fill(&page, "#name", "promo").await;
    click(&page, "button[value=save]").await;
    assert!(
        path(&page).await.starts_with("/console/templates/promo"),
        "{}",
        page.text().await
    );
    send_promo(&scene, 501).await;
    let phone = phone(&scene).await;
    shows(&phone, "Halo Adit, unit BeAT Street sudah siap.").await;
    // The second version, and back to the first.
    type_in(&page, "#body", "Hai {customer_name}, silakan diambil.").await;
    click(&page, "button[value=save]").await;
    send_promo(&scene, 502).await;
    shows(&phone, "Hai Adit, silakan diambil.").await;
    page.run("document.querySelectorAll('details.version').forEach(it => it.open = true); null")
        .await;
    picture(&page, "template-versions").await;
    click(&page, "a[href$='version=1']").await;
    assert!(
        has(&page, "Draf ini berisi versi lama").await,
        "{}",
        page.text().await
    );
    click(&page, "button[value=save]").await;
    assert!(has(&page, "Versi 3").await, "{}", page.text().await);
    send_promo(&scene, 503).await;
    let first = "SELECT count(*) FROM customer.message WHERE state = 'SENT' AND template = 'promo' \
        AND body = 'Halo Adit, unit BeAT Street sudah siap.'";
    eventually("the first text was sent again", async || {
        (scene.story.count(first).await == 2).then_some(())
    })
    .await;
    // A stale form keeps what was typed.
    type_in(&page, "#body", "Ketikan saya").await;
    // Another tab of the same browser has the same session.
    let second = scene.tab().await;
    second.go(&scene.at("/console/templates/promo")).await;
    fill(&second, "#body", "Lebih cepat").await;
    click(&second, "button[value=save]").await;
    page.go(&scene.at("/console/templates/promo?version=1"))
        .await;
    page.run("document.querySelector('[name=seen]').value = 'own-3'; null")
        .await;
    fill(&page, "#body", "Ketikan saya").await;
    click(&page, "button[value=save]").await;
    assert!(has(&page, "belum disimpan").await, "{}", page.text().await);
    assert_eq!(
        page.run("document.querySelector('#body').value").await,
        "Ketikan saya"
    );
    picture(&page, "template-overtaken").await;
    is_well(&page, "a stale draft").await;
}

/// A workbook with a header and these rows.
fn workbook(path: &Path, rows: &[[&str; 4]]) {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let header = ["Nama Pembawa", "No Telp", "Tipe Unit", "No Pol"];
    for (at, row) in (0..).zip([header].iter().chain(rows)) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(at, column, *cell).expect("a cell");
        }
    }
    workbook.save(path).expect("it can be written");
}

/// Chooses a file as a person does.
async fn choose(page: &Page, selector: &str, file: &Path) {
    let document = page.command("DOM.getDocument", json!({})).await;
    let wanted = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
    let found = page.command("DOM.querySelector", wanted).await;
    let files = json!({ "nodeId": found["nodeId"], "files": [file] });
    page.command("DOM.setFileInputFiles", files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excel_file_with_three_mistakes_is_mended_and_stored() {
    let scene = Scene::begin(0).await;
    let page = scene.logged_in(&scene.dealer_key).await;
    width(&page, 1440).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("daftar.xlsx");
    let mut rows = [
        ["Adit", "081200000701", "BeAT Street", "D 123 AD"],
        ["Sri", "8,21E+11", "Vario 160", "B 1 SRI"],
        ["Budi", "081200000703", "Scoopy", "B 2 BDI"],
        ["", "081200000704", "PCX 160", "B 3 XYZ"],
        ["Dewi", "021 555 1234", "Genio", "B 4 DWI"],
    ];
    workbook(&file, &rows);
    click(&page, "nav a[href='/console/import']").await;
    choose(&page, "#file", &file).await;
    click(&page, "main form .primary").await;
    for words in [
        "5 baris: 2 baris bisa disimpan.",
        "3 baris salah.",
        "Excel memendekkan nomor ini",
        "wajib diisi",
        "bukan nomor HP Indonesia",
    ] {
        assert!(has(&page, words).await, "{words}: {}", page.text().await);
    }
    for (wide, theme) in [(1440, "light"), (360, "dark")] {
        width(&page, wide).await;
        page.run(&format!(
            "document.documentElement.dataset.theme = {}; null",
            json!(theme)
        ))
        .await;
        picture(&page, &format!("import-checked-{theme}-{wide}")).await;
        is_well(&page, "what was found").await;
        is_accessible(&page, "what was found").await;
    }
    width(&page, 1440).await;
    let stored =
        "SELECT count(*) FROM customer.customer_validation_request WHERE dealer_id = '0009999'";
    assert_eq!(scene.story.count(stored).await, 0, "a check stores nothing");
    click(&page, "main form .primary").await;
    assert!(
        has(&page, "2 baris tersimpan").await,
        "{}",
        page.text().await
    );
    picture(&page, "import-stored").await;
    is_well(&page, "what was stored").await;
    // The faulty rows come as a workbook.
    let download = "(async () => { const form = document.querySelector('form[action=\"/console/import/faulty\"]');
        const answer = await fetch(form.action, {method: 'POST', body: new FormData(form)});
        const bytes = new Uint8Array(await answer.arrayBuffer());
        return [answer.headers.get('content-disposition'), bytes.length > 1000, bytes[0] === 80]; })()";
    let found = page.run(download).await;
    assert_eq!(
        found,
        json!(["attachment; filename=\"daftar-salah.xlsx\"", true, true])
    );
    // Mended in the whole file, the mended rows alone are stored.
    rows[1][1] = "081200000702";
    rows[3][0] = "Ayu";
    rows[4][1] = "081200000705";
    workbook(&file, &rows);
    page.go(&scene.at("/console/import")).await;
    choose(&page, "#file", &file).await;
    click(&page, "main form .primary").await;
    assert!(
        has(&page, "2 baris sudah tersimpan").await,
        "{}",
        page.text().await
    );
    click(&page, "main form .primary").await;
    assert!(
        has(&page, "3 baris tersimpan").await,
        "{}",
        page.text().await
    );
    assert_eq!(scene.story.count(stored).await, 5);
    let sent =
        "SELECT count(*) FROM customer.message WHERE state = 'SENT' AND dealer_id = '0009999'";
    eventually("all five are sent, each once", async || {
        (scene.story.count(sent).await == 5).then_some(())
    })
    .await;
    // And the list with them is downloaded with the same session.
    let list = "fetch('/console/messages.csv').then(answer => answer.text())";
    let list = page.run(list).await;
    let list = list.as_str().unwrap_or_default();
    assert_eq!(list.lines().count(), 6, "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_change_nothing_but_their_text() {
    let scene = Scene::begin(0).await;
    let names = [
        "<script>window.hacked = 1</script>".to_owned(),
        "\"><img src=x onerror=\"window.hacked = 1\">".to_owned(),
        "\u{202e}txet desrever \u{5e9}\u{5dc}\u{5d5}\u{5dd}".to_owned(),
        "W".repeat(255),
        "👩‍👩‍👧‍👦🛵 Ayu 🎉".to_owned(),
        "{customer_name} {{}} %00 &amp; &lt;".to_owned(),
    ];
    let mut requests = Vec::new();
    for (n, name) in (800..).zip(&names) {
        let mut body = submission_of(DEALER, n);
        body["namaPembawa"] = name.as_str().into();
        body["tipeUnit"] = name.chars().take(100).collect::<String>().into();
        let headers = [("X-API-Key", scene.dealer_key.as_str())];
        let path = "/api/v1/customer/validate-customer";
        let reply = scene
            .service
            .send(Method::POST, path, Some(&body), &headers)
            .await
            .expect("the service answers");
        let location = reply.header("location").expect("it is stored").to_owned();
        requests.push(location.rsplit('/').next().expect("an id").to_owned());
    }
    let page = scene.logged_in(&scene.dealer_key).await;
    let mut addresses = vec!["/console".to_owned(), "/console/messages".to_owned()];
    addresses.push("/console/templates/validation".to_owned());
    addresses.extend(requests.iter().map(|id| format!("/console/messages/{id}")));
    for wide in [1440, 360] {
        width(&page, wide).await;
        for address in &addresses {
            page.go(&scene.at(address)).await;
            is_well(&page, address).await;
            assert_eq!(
                page.run("window.hacked ?? null").await,
                Value::Null,
                "{address}"
            );
        }
    }
    page.go(&scene.at("/console/messages")).await;
    let shown = page
        .run("[...document.querySelectorAll('td[data-label=Nama] bdi')].map(it => it.textContent)")
        .await;
    let shown: Vec<&str> = shown
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for name in &names {
        assert!(shown.contains(&name.as_str()), "{name}: {shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_posts_shows_up_and_the_list_stays() {
    let scene = Scene::begin(2).await;
    let second = scene.story.serve();
    second.get("/api/v1/health/").await.expect("it answers");
    let page = scene.logged_in(&scene.dealer_key).await;
    let told = "fetch('/console/live?once=yes').then(answer => answer.ok)";
    let line = "document.querySelector('[data-live] a').textContent";
    let rows = "document.querySelectorAll('tbody tr').length";
    assert_eq!(page.run(told).await, true, "it is counted from here on");
    let headers = [("X-API-Key", scene.office_key.as_str())];
    let mut posted = 0;
    let mut n = 700;
    // Of another dealer nothing is told.
    eventually("new messages are told", async || {
        for dealer in [DEALER, "0008888"] {
            n += 1;
            let body = submission_of(dealer, n);
            let path = "/api/v1/customer/validate-customer";
            let reply = second
                .send(Method::POST, path, Some(&body), &headers)
                .await
                .ok()?;
            assert_eq!(reply.json()["status"], 1, "{}", reply.text);
        }
        posted += 1;
        let said = page.run(line).await;
        said.as_str()?.ends_with(" pesan baru").then_some(())
    })
    .await;
    eventually("all of this dealer are told, and no other", async || {
        let said = page.run(line).await;
        let count: u32 = said.as_str()?.split(' ').next()?.parse().ok()?;
        assert!(count <= posted, "{count} of {posted}");
        (count + 2 >= posted).then_some(())
    })
    .await;
    assert_eq!(page.run(rows).await, 2, "the list never jumps");
    picture(&page, "live-line").await;
    is_well(&page, "the live line").await;
    is_accessible(&page, "the live line").await;
    click(&page, "[data-live] a").await;
    let listed = page.run(rows).await.as_u64();
    let all = u64::from(posted) + 2;
    assert_eq!(listed, Some(all.min(ROWS)), "on request the list has them");
    // Streams do not hold the service up when it stops.
    let since = std::time::Instant::now();
    scene.service.terminate().await;
    let took = since.elapsed();
    assert!(took < std::time::Duration::from_secs(8), "{took:?}");
}
