//! Templates: the list, drafts, versions, and whose they are.

use domain::access::Scope;
use testkit::sample;

use crate::site::Site;

/// Fields as a form posts them.
fn form(fields: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

/// The value of a hidden field.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&begin).expect("the field is there").1;
    rest.split('"').next().unwrap_or_default()
}

const PROMO: &str = "/console/templates/promo";

#[actix_web::test]
async fn a_dealer_goes_from_draft_to_version_and_back() {
    let site = Site::new();
    site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Write).await;
    let list = site.get("/console/templates", &cookie).await.body;
    assert!(list.contains("/console/templates/validation") && list.contains("bawaan dealer"));
    assert!(!list.contains("name=\"dealer_id\""), "its own alone");
    let new = site.get("/console/templates?new=yes", &cookie).await.body;
    assert_eq!(hidden(&new, "seen"), "none");
    assert!(!new.contains("class=\"fault\""), "nobody has begun yet");
    // Looked at, on the newest request, and nothing is stored.
    let fields = [
        ("name", "promo"),
        ("body", "Halo {customer_name}\r\n!"),
        ("seen", "none"),
    ];
    let look = [&fields[..], &[("act", "preview")]].concat();
    let shown = site.post("/console/templates", &cookie, &form(&look)).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(
        shown.body.contains("Halo Adit\n!") && shown.body.contains("berbeda dari yang terkirim")
    );
    assert!(shown.body.contains("<del>") && shown.body.contains("value=\"promo\""));
    assert_eq!(site.get(PROMO, &cookie).await.status, 404);
    // Saved, and changed.
    let save = [&fields[..], &[("act", "save")]].concat();
    let saved = site.post("/console/templates", &cookie, &form(&save)).await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/console/templates/promo?done=save")
    );
    let page = site.get(saved.location(), &cookie).await.body;
    assert!(
        page.contains("Versi baru disimpan")
            && page.contains(">\nHalo {customer_name}\n!</textarea>")
    );
    let second = form(&[
        ("body", "Hai!"),
        ("seen", hidden(&page, "seen")),
        ("act", "save"),
    ]);
    assert_eq!(site.post(PROMO, &cookie, &second).await.status, 303);
    // Back to the first one: as a draft, then as the third version.
    let back = site.get(&format!("{PROMO}?version=1"), &cookie).await.body;
    assert!(
        back.contains("Draf ini berisi versi lama")
            && back.contains(">\nHalo {customer_name}\n!</textarea>")
    );
    assert_eq!(hidden(&back, "seen"), "own-2");
    let third = form(&[
        ("body", "Halo {customer_name}\n!"),
        ("seen", "own-2"),
        ("act", "save"),
    ]);
    assert_eq!(site.post(PROMO, &cookie, &third).await.status, 303);
    let page = site.get(PROMO, &cookie).await.body;
    assert!(page.contains("Versi 3") && page.contains("Bengkel Uji"));
    let same = form(&[
        ("body", "Halo {customer_name}\n!"),
        ("seen", "own-3"),
        ("act", "save"),
    ]);
    let same = site.post(PROMO, &cookie, &same).await;
    assert_eq!(same.location(), "/console/templates/promo?done=same");
    assert!(
        site.get(same.location(), &cookie)
            .await
            .body
            .contains("tidak ada versi baru")
    );
    // Removed, after a question.
    let remove = format!("{PROMO}/remove");
    let asked = site.post(&remove, &cookie, "seen=own-3").await;
    assert!(
        asked.body.contains("<h1>Hapus templat ini?</h1>"),
        "{}",
        asked.body
    );
    let removed = site
        .post(&remove, &cookie, "seen=own-3&confirmed=yes")
        .await;
    assert_eq!(removed.location(), "/console/templates?done=remove");
    assert_eq!(site.get(PROMO, &cookie).await.status, 404);
}

#[actix_web::test]
async fn a_stale_draft_is_refused_and_keeps_what_was_typed() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let make = |seen: &str, body: &str| form(&[("body", body), ("seen", seen), ("act", "save")]);
    assert_eq!(
        site.post(PROMO, &cookie, &make("none", "satu"))
            .await
            .status,
        303
    );
    assert_eq!(
        site.post(PROMO, &cookie, &make("own-1", "dua"))
            .await
            .status,
        303
    );
    for stale in [
        "none",
        "own-1",
        "",
        "built-in",
        "shared-2",
        "own-99999999999",
    ] {
        let refused = site
            .post(PROMO, &cookie, &make(stale, "ketikan <saya>"))
            .await;
        assert_eq!(refused.status, 409, "{stale}");
        assert!(
            refused.body.contains("ketikan &lt;saya&gt;</textarea>"),
            "{}",
            refused.body
        );
        assert!(
            refused.body.contains("belum disimpan")
                && refused.body.contains("<pre tabindex=\"0\">dua")
        );
        // Whoever saves again knows what is replaced.
        assert_eq!(hidden(&refused.body, "seen"), "own-2");
    }
    let taken = form(&[
        ("name", "promo"),
        ("body", "tiga"),
        ("seen", "none"),
        ("act", "save"),
    ]);
    let taken = site.post("/console/templates", &cookie, &taken).await;
    assert_eq!(taken.status, 409);
    assert!(
        taken.body.contains("Sudah ada templat dengan nama ini")
            && taken.body.contains(">\ntiga</textarea>")
    );
    let kept = site
        .post(
            &format!("{PROMO}/remove"),
            &cookie,
            "seen=own-1&confirmed=yes",
        )
        .await;
    assert_eq!(kept.status, 409);
    assert!(
        site.get(PROMO, &cookie)
            .await
            .body
            .contains(">\ndua</textarea>")
    );
}

#[actix_web::test]
async fn what_is_wrong_is_told_where_it_stands() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let wrong = form(&[
        ("name", "Promo!"),
        ("body", "Halo\n{nama} }"),
        ("seen", "none"),
        ("act", "save"),
    ]);
    let refused = site.post("/console/templates", &cookie, &wrong).await;
    assert_eq!(refused.status, 422);
    for words in [
        "Pakai hanya huruf kecil",
        "Baris 2, huruf 1: {nama}",
        "Baris 2, huruf 8",
    ] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    let english = format!("{cookie}; console_language=en");
    let refused = site.post("/console/templates", &english, &wrong).await.body;
    assert!(refused.contains("Line 2, character 1: {nama} cannot be inserted"));
    // The script gets the preview alone.
    let part = form(&[("body", "{"), ("act", "part")]);
    let part = site.post("/console/templates", &cookie, &part).await;
    assert_eq!(part.status, 200);
    assert!(part.body.starts_with("<div") && part.body.contains("Baris 1, huruf 1"));
}

#[actix_web::test]
async fn a_dealers_key_reaches_no_other_dealer_and_not_head_office() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let cookie = site.dealer(Scope::Write).await;
    let of_other = format!("dealer_id={}", other.id);
    for path in ["/console/templates", "/console/templates/validation"] {
        assert_eq!(
            site.get(&format!("{path}?{of_other}"), &cookie)
                .await
                .status,
            404
        );
    }
    let save = format!("body=x&seen=none&act=save&{of_other}");
    for path in [
        PROMO.to_owned(),
        format!("{PROMO}/remove"),
        "/console/templates".to_owned(),
    ] {
        assert_eq!(site.post(&path, &cookie, &save).await.status, 404, "{path}");
    }
    // The default is a setting, which is head office's to change.
    let default = "/console/templates/validation/default";
    assert_eq!(site.post(default, &cookie, "").await.status, 403);
    // Whoever may only look finds no form.
    let reader = site.dealer(Scope::Read).await;
    let page = site
        .get("/console/templates/validation", &reader)
        .await
        .body;
    assert!(page.contains("hanya boleh melihat") && !page.contains("<textarea"));
    assert_eq!(
        site.get("/console/templates?new=yes", &reader).await.status,
        403
    );
    assert_eq!(
        site.post(PROMO, &reader, "body=x&seen=none&act=save")
            .await
            .status,
        403
    );
}

#[actix_web::test]
async fn head_office_writes_for_all_and_for_each_and_sets_the_default() {
    let site = Site::new();
    let office = site.head_office().await;
    let shared = "body=Halo+dari+pusat&seen=none&act=save";
    let saved = site.post(PROMO, &office, shared).await;
    assert_eq!(saved.location(), "/console/templates/promo?done=save");
    let dealer = "dealer_id=0009999";
    let of_dealer = site.get(&format!("{PROMO}?{dealer}"), &office).await.body;
    assert!(
        of_dealer.contains("kantor pusat")
            && of_dealer.contains("Menyimpan membuat templat sendiri")
    );
    assert_eq!(hidden(&of_dealer, "seen"), "shared-1");
    let own = format!("body=Halo+sendiri&seen=shared-1&act=save&{dealer}");
    let own = site.post(PROMO, &office, &own).await;
    assert_eq!(
        own.location(),
        "/console/templates/promo?dealer_id=0009999&done=save"
    );
    let made = site
        .post(&format!("{PROMO}/default"), &office, dealer)
        .await;
    assert_eq!(
        made.location(),
        "/console/templates/promo?dealer_id=0009999&done=default"
    );
    let page = site.get(made.location(), &office).await.body;
    assert!(page.contains("Templat ini sekarang bawaan") && page.contains("class=\"badge\""));
    let list = site
        .get(&format!("/console/templates?{dealer}"), &office)
        .await
        .body;
    assert!(list.contains("value=\"0009999\"") && list.matches("class=\"badge\"").count() == 1);
    for path in [
        "/console/templates/none/default",
        "/console/templates/promo/default",
    ] {
        let of = if path.contains("none") { dealer } else { "" };
        assert_eq!(site.post(path, &office, of).await.status, 404, "{path}");
    }
    assert_eq!(
        site.get("/console/templates?dealer_id=x", &office)
            .await
            .status,
        404
    );
    assert_eq!(
        site.get("/console/templates?dealer_id=7777777", &office)
            .await
            .status,
        404
    );
}

/// As on its page: a customer's name may hold a phone.
#[actix_web::test]
async fn phones_of_real_requests_are_masked_in_a_preview() {
    let site = Site::new();
    let mut request = sample::new_request();
    request.submission.customer_name = "Adit 081200000001".to_owned();
    site.accept(&request).await;
    let cookie = site.dealer(Scope::Write).await;
    let look = form(&[
        ("name", "promo"),
        ("body", "Halo {customer_name}!"),
        ("seen", "none"),
        ("act", "preview"),
    ]);
    let shown = site.post("/console/templates", &cookie, &look).await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("0812"), "{}", shown.body);
    assert!(!shown.body.contains("081200000001"), "{}", shown.body);
}
