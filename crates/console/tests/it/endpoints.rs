//! Endpoints of event webhooks.

use domain::access::Scope;
use testkit::sample;

use crate::site::Site;

const LIST: &str = "/console/endpoints";
const FORM: &str = "url=https%3A%2F%2Fbengkel.example%2Fkejadian&event=message.read&event=reply.received&note=uji+%3Cb%3E";

/// Makes an endpoint; its page.
async fn make(site: &Site, cookie: &str) -> String {
    let made = site.post(LIST, cookie, FORM).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body.contains("whsec_"), "{}", made.body);
    let path = made
        .body
        .split("href=\"/console/endpoints/")
        .nth(1)
        .unwrap();
    format!("{LIST}/{}", path.split(['"', '?']).next().unwrap())
}

#[actix_web::test]
async fn an_endpoint_is_made_and_its_secret_is_shown_once() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let none = site.get(LIST, &cookie).await;
    assert_eq!(none.status, 200);
    assert!(none.body.contains("Belum ada endpoint."));
    let path = make(&site, &cookie).await;
    for page in [LIST, &path] {
        let page = site.get(page, &cookie).await.body;
        for words in ["https://bengkel.example/kejadian", "uji &lt;b&gt;", "Aktif"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("whsec_"));
    }
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("value=\"message.read\" checked"), "{page}");
    assert!(!page.contains("value=\"message.sent\" checked"));
}

#[actix_web::test]
async fn an_endpoint_is_tested_and_a_delivery_is_made_again() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let path = make(&site, &cookie).await;
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("Belum ada kiriman."));
    let tested = site.post(&format!("{path}/test"), &cookie, "").await;
    assert_eq!(
        (tested.status, tested.location()),
        (303, &*format!("{path}?done=test"))
    );
    let page = site.get(tested.location(), &cookie).await.body;
    for words in ["endpoint.test", "evt_", "Menunggu", "Kirim lagi"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let delivery = page.split("name=\"delivery\" value=\"").nth(1).unwrap();
    let delivery = delivery.split('"').next().unwrap();
    let retry = format!("{path}/retry");
    let again = site
        .post(&retry, &cookie, &format!("delivery={delivery}"))
        .await;
    assert!(
        again.location().ends_with("?done=retry"),
        "{}",
        again.status
    );
    assert_eq!(site.post(&retry, &cookie, "delivery=x").await.status, 400);
}

#[actix_web::test]
async fn an_endpoint_is_changed_disabled_and_removed_after_one_question() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let path = make(&site, &cookie).await;
    let form = "url=https%3A%2F%2Flain.example%2F&event=message.sent";
    let unsure = site.post(&path, &cookie, form).await;
    assert_eq!(unsure.status, 422);
    assert!(
        unsure.body.contains("Ya, ganti alamatnya"),
        "{}",
        unsure.body
    );
    let form = &format!("{form}&sure=yes");
    let changed = site.post(&path, &cookie, form).await;
    assert!(
        changed.location().ends_with("?done=save"),
        "{}",
        changed.body
    );
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("https://lain.example/") && !page.contains("uji &lt;b&gt;"));
    site.post(&path, &cookie, "enable=no").await;
    let page = site.get(&path, &cookie).await.body;
    assert!(
        page.contains("Dimatikan") && page.contains("https://lain.example/"),
        "{page}"
    );
    site.post(&path, &cookie, "enable=yes").await;
    assert!(site.get(&path, &cookie).await.body.contains("Aktif"));
    let remove = format!("{path}/remove");
    let asked = site.post(&remove, &cookie, "").await;
    assert!(asked.body.contains("Hapus endpoint ini?"), "{}", asked.body);
    assert_eq!(site.get(&path, &cookie).await.status, 200);
    let removed = site.post(&remove, &cookie, "confirmed=yes").await;
    assert_eq!(removed.location(), "/console/endpoints?done=remove");
    assert_eq!(site.get(&path, &cookie).await.status, 404);
}

#[actix_web::test]
async fn what_was_typed_wrong_stands_at_its_field() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    for (form, words) in [
        (
            "url=http%3A%2F%2Fbengkel.example&event=message.sent",
            "harus https",
        ),
        ("url=x&event=message.sent", "bukan alamat web"),
        (
            "url=https%3A%2F%2F10.0.0.1%2F&event=message.sent",
            "tidak terbuka",
        ),
        ("url=https%3A%2F%2Fbengkel.example", "satu kejadian"),
        (
            "url=https%3A%2F%2Fbengkel.example&event=endpoint.test",
            "tidak dikenal",
        ),
        ("event=message.sent", "Isi alamatnya"),
    ] {
        let page = site.post(LIST, &cookie, form).await;
        assert_eq!(page.status, 422, "{form}");
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for _ in 0..5 {
        make(&site, &cookie).await;
    }
    let full = site.post(LIST, &cookie, FORM).await;
    assert_eq!(full.status, 422);
    assert!(full.body.contains("sudah penuh") && full.body.contains("bengkel.example"));
}

#[actix_web::test]
async fn endpoints_of_others_are_for_head_office_alone() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let own = site.dealer(Scope::Write).await;
    let path = make(&site, &own).await;
    let reader = site.dealer(Scope::Read).await;
    let page = site.get(&path, &reader).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/test\""));
    assert_eq!(site.post(LIST, &reader, FORM).await.status, 403);
    let foreign = site.key(Some(other.id.clone()), Scope::Write).await;
    let foreign = site.log_in(&foreign).await;
    assert_eq!(site.get(&path, &foreign).await.status, 404);
    assert_eq!(
        site.post(&format!("{path}/remove"), &foreign, "confirmed=yes")
            .await
            .status,
        404
    );
    let clerk = site.key(None, Scope::Write).await;
    let clerk = site.log_in(&clerk).await;
    assert_eq!(site.get(LIST, &clerk).await.status, 403);
    let office = site.head_office().await;
    assert!(
        site.get(LIST, &office)
            .await
            .body
            .contains("Belum ada endpoint.")
    );
    let dealers = site
        .get(&format!("{LIST}?dealer_id=0009999"), &office)
        .await
        .body;
    assert!(dealers.contains("bengkel.example"));
    assert_eq!(
        site.get(&format!("{path}?dealer_id=0009999"), &office)
            .await
            .status,
        200
    );
    assert_eq!(site.get(&path, &office).await.status, 404);
    let unknown = site
        .get(&format!("{LIST}?dealer_id=0000001"), &office)
        .await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("Tidak ada dealer dengan nomor ini."));
}

#[actix_web::test]
async fn what_others_have_changed_is_not_overwritten() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let path = make(&site, &cookie).await;
    let page = site.get(&path, &cookie).await.body;
    let shown = page.split("name=\"shown\" value=\"").nth(1).unwrap();
    let shown = shown.split('"').next().unwrap().replace("&amp;", "&");
    let shown = shown
        .replace('%', "%25")
        .replace('&', "%26")
        .replace('+', "%2B");
    let form = |note: &str| {
        let same =
            "url=https%3A%2F%2Fbengkel.example%2Fkejadian&event=message.read&event=reply.received";
        format!("{same}&note={note}&shown={shown}")
    };
    assert_eq!(site.post(&path, &cookie, &form("satu")).await.status, 303);
    // Sent twice it is the same; another one is refused, and kept.
    assert_eq!(site.post(&path, &cookie, &form("satu")).await.status, 303);
    let late = site.post(&path, &cookie, &form("dua")).await;
    assert_eq!(late.status, 409);
    assert!(late.body.contains("diubah orang lain") && late.body.contains("value=\"dua\""));
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("value=\"satu\""), "{page}");
    let office = site.head_office().await;
    let audit = site.get("/console/audit", &office).await.body;
    assert_eq!(audit.matches("mengubah endpoint").count(), 1, "{audit}");
}

#[actix_web::test]
async fn without_a_key_for_secrets_it_is_said_what_to_do() {
    let site = Site::new();
    site.world.store.keep_secrets(false);
    let cookie = site.dealer(Scope::Write).await;
    let refused = site.post(LIST, &cookie, FORM).await;
    assert_eq!(refused.status, 422);
    for words in ["mengatur SECRETS_KEY", "https://bengkel.example/kejadian"] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    assert!(
        site.get(LIST, &cookie)
            .await
            .body
            .contains("Belum ada endpoint.")
    );
}
