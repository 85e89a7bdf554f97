//! Dealers: accounts, queues, settings, tests.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Scope;
use domain::delivery::Outcome;
use domain::ports::{AccountBook as _, AccountProfile, StoreError, TestLine};
use domain::usecases::{CheckError, CheckPassed};
use domain::values::{DealerId, Phone};
use testkit::sample;

use crate::site::Site;

const OWN: &str = "/console/dealers/0009999";

#[actix_web::test]
async fn a_dealer_sees_itself_and_head_office_all() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let cookie = site.dealer(Scope::Write).await;
    let list = site.get("/console/dealers", &cookie).await;
    assert_eq!((list.status, list.location()), (303, OWN));
    let own = site.get(OWN, &cookie).await.body;
    for words in [
        "Dealer Demo",
        "Bisa mengirim",
        "Antrean kosong.",
        "Uji akun",
    ] {
        assert!(own.contains(words), "{words}: {own}");
    }
    // The addresses hold a secret, which is not for every key.
    assert!(!own.contains("/status"));
    assert!(!own.contains("/settings"));
    for path in [
        format!("/console/dealers/{}", other.id),
        "/console/dealers/x".to_owned(),
    ] {
        assert_eq!(site.get(&path, &cookie).await.status, 404, "{path}");
        assert_eq!(
            site.post(&format!("{path}/test"), &cookie, "").await.status,
            404
        );
        assert_eq!(
            site.post(&format!("{path}/settings"), &cookie, "")
                .await
                .status,
            403
        );
    }
    let office = site.head_office().await;
    let list = site.get("/console/dealers", &office).await.body;
    assert!(list.contains("0009999") && list.contains(other.id.as_str()));
    let shown = site.get(OWN, &office).await.body;
    assert!(shown.contains("webhook-status") && shown.contains("/status"));
    let reader = site.dealer(Scope::Read).await;
    let looked = site.get(OWN, &reader).await.body;
    assert!(!looked.contains("Uji akun") && !looked.contains("webhook-status"));
}

#[actix_web::test]
async fn an_account_without_a_key_says_so() {
    let site = Site::new();
    let mut dealer = sample::dealer();
    dealer.api_key = None;
    site.world.store.put_dealer(dealer);
    let page = site.get(OWN, &site.dealer(Scope::Read).await).await.body;
    assert!(page.contains("Kunci Fonnte belum diatur."), "{page}");
    assert!(page.contains("Belum bisa mengirim"));
}

#[actix_web::test]
async fn an_account_is_checked_and_a_test_message_sent() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Write).await;
    let test = format!("{OWN}/test");
    let checked = site.post(&test, &cookie, "").await;
    assert_eq!(checked.status, 200);
    assert!(checked.body.contains("Akun berfungsi."), "{}", checked.body);
    let wrong = site.post(&test, &cookie, "target=021+555").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("bukan nomor ponsel") && wrong.body.contains("value=\"021 555\""));
    site.world.whatsapp.will(Outcome::Refused {
        reason: "invalid 628123456789".into(),
    });
    let refused = site.post(&test, &cookie, "target=0812+3456+789").await;
    assert!(
        refused.body.contains("Akun tidak berfungsi."),
        "{}",
        refused.body
    );
    assert!(!refused.body.contains("628123456789"));
}

#[actix_web::test]
async fn settings_are_changed_and_what_is_wrong_stands_at_its_field() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = format!("{OWN}/settings");
    let form =
        "min_interval_ms=2000&daily_limit=500&quiet_from=21%3A00&quiet_to=07%3A00&on_unknown=hold";
    let saved = site.post(&path, &office, form).await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/console/dealers/0009999?done=save")
    );
    let page = site.get(saved.location(), &office).await.body;
    for words in [
        "Pengaturan disimpan",
        "value=\"2000\"",
        "value=\"500\"",
        "value=\"21:00\"",
        "value=\"hold\" selected",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let audit = site.get("/console/audit", &office).await.body;
    assert!(
        audit.contains("min_interval_ms, daily_limit, quiet_hours, on_unknown"),
        "{audit}"
    );
    let wrong = "min_interval_ms=soon&daily_limit=-1&quiet_from=9&quiet_to=07%3A00";
    let refused = site.post(&path, &office, wrong).await;
    assert_eq!(refused.status, 422);
    for words in [
        "Tulis bilangan bulat.",
        "Paling sedikit 0.",
        "Tulis jam seperti 21:00.",
        "value=\"soon\"",
    ] {
        assert!(refused.body.contains(words), "{words}");
    }
    // Nothing was changed, and an empty form takes all back.
    assert!(site.get(OWN, &office).await.body.contains("value=\"2000\""));
    assert_eq!(site.post(&path, &office, "").await.status, 303);
    assert!(!site.get(OWN, &office).await.body.contains("value=\"2000\""));
}

#[actix_web::test]
async fn a_key_or_an_address_is_changed_only_by_whoever_is_sure() {
    let site = Site::new();
    let office = site.head_office().await;
    site.accept(&sample::new_request()).await;
    let path = format!("{OWN}/settings");
    let asked = site
        .post(&path, &office, "fonnte_api_key=secret-key-1")
        .await;
    assert_eq!(asked.status, 422);
    assert!(
        asked.body.contains("centang untuk memastikan")
            && asked.body.contains("1 pesan yang menunggu")
    );
    assert!(!asked.body.contains("secret-key-1"));
    let saved = site
        .post(&path, &office, "fonnte_api_key=secret-key-1&sure=yes")
        .await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = site.get(OWN, &office).await.body;
    assert!(page.contains("Hapus kunci yang diatur di sini") && !page.contains("secret-key-1"));
    let elsewhere = "fonnte_api_url=https%3A%2F%2Fevil.example%2Fsend&sure=yes";
    let refused = site.post(&path, &office, elsewhere).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("FONNTE_ALLOWED_HOSTS"));
}

/// What a page says was in force when it was shown, as its form posts it.
fn shown(page: &str) -> String {
    let value = page.split("name=\"shown\" value=\"").nth(1);
    let value = value.and_then(|rest| rest.split('"').next());
    let value = value.unwrap_or_default().replace("&amp;", "&");
    format!(
        "shown={}",
        value
            .replace('%', "%25")
            .replace('&', "%26")
            .replace('=', "%3D")
    )
}

#[actix_web::test]
async fn a_secret_that_was_not_saved_has_to_be_typed_again() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = format!("{OWN}/settings");
    let again = "Ketik lagi: yang tadi diketik tidak disimpan.";
    // Nobody was sure, or another field is wrong.
    for form in [
        "fonnte_api_key=secret-key-1",
        "fonnte_api_key=secret-key-1&sure=yes&jitter_ms=x",
        "webhook_secret=secret-key-1&jitter_ms=x",
    ] {
        let asked = site.post(&path, &office, form).await;
        assert_eq!(asked.status, 422, "{form}");
        assert_eq!(asked.body.matches(again).count(), 1, "{form}");
        assert!(!asked.body.contains("secret-key-1"), "{form}");
    }
    let asked = site.post(&path, &office, "jitter_ms=x").await.body;
    assert!(!asked.contains(again));
    // Whoever is only sure then has changed nothing, and nothing else is said.
    let saved = site.post(&path, &office, "sure=yes").await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/console/dealers/0009999?done=nothing")
    );
    let page = site.get(saved.location(), &office).await.body;
    assert!(page.contains("Tidak ada yang berubah.") && !page.contains("Pengaturan disimpan"));
    let audit = site.get("/console/audit", &office).await.body;
    assert!(!audit.contains("settings"), "{audit}");
}

#[actix_web::test]
async fn ticks_are_kept_with_what_was_typed() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = format!("{OWN}/settings");
    let secrets = "fonnte_api_key=secret-key-1&webhook_secret=secret&sure=yes";
    assert_eq!(site.post(&path, &office, secrets).await.status, 303);
    let ticked = |name: &str| format!("name=\"{name}\" value=\"yes\" checked");
    let form = "remove_key=yes&remove_secret=yes&sure=yes&jitter_ms=x";
    let refused = site.post(&path, &office, form).await.body;
    let plain = site.get(OWN, &office).await.body;
    for name in ["remove_key", "remove_secret", "sure"] {
        assert!(refused.contains(&ticked(name)), "{name}");
        assert!(!plain.contains(&ticked(name)), "{name}");
    }
}

#[actix_web::test]
async fn settings_that_somebody_changed_meanwhile_are_not_overwritten() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = format!("{OWN}/settings");
    let opened = shown(&site.get(OWN, &office).await.body);
    let first = format!("{opened}&daily_limit=500");
    assert_eq!(site.post(&path, &office, &first).await.status, 303);
    let second = format!("{opened}&min_interval_ms=2000");
    let refused = site.post(&path, &office, &second).await;
    assert_eq!(refused.status, 409);
    for words in [
        "Pengaturan ini diubah orang lain",
        "Paling banyak per hari: <bdi>500</bdi>",
        "value=\"2000\"",
    ] {
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    let page = site.get(OWN, &office).await.body;
    assert!(page.contains("value=\"500\"") && !page.contains("value=\"2000\""));
    // Whoever has read that may save it.
    let third = format!(
        "{}&min_interval_ms=2000&daily_limit=500",
        shown(&refused.body)
    );
    assert_eq!(site.post(&path, &office, &third).await.status, 303);
    let page = site.get(OWN, &office).await.body;
    assert!(page.contains("value=\"500\"") && page.contains("value=\"2000\""));
}

#[actix_web::test]
async fn from_which_quota_on_is_warned_is_a_setting() {
    let site = Site::new();
    let office = site.head_office().await;
    let path = format!("{OWN}/settings");
    let page = site.get(OWN, &office).await.body;
    assert!(page.contains("name=\"quota_low_at\"") && page.contains("Kosong berarti 100."));
    for (wrong, words) in [("-1", "0"), ("1000001", "1000000"), ("few", "bilangan")] {
        let form = format!("quota_low_at={wrong}");
        let refused = site.post(&path, &office, &form).await;
        assert_eq!(refused.status, 422, "{wrong}");
        let fault = refused
            .body
            .split("id=\"quota_low_at-fault\"")
            .nth(1)
            .unwrap();
        let fault = fault.split("</p>").next().unwrap();
        assert!(fault.contains(words), "{wrong}: {fault}");
        assert!(refused.body.contains(&format!("value=\"{wrong}\"")));
    }
    for (typed, at) in [("0", Some(0)), ("1000000", Some(1_000_000)), ("", None)] {
        let opened = shown(&site.get(OWN, &office).await.body);
        let form = format!("{opened}&quota_low_at={typed}");
        assert_eq!(
            site.post(&path, &office, &form).await.status,
            303,
            "{typed}"
        );
        let dealers = site.world.services().dealers;
        let record = dealers.dealer(&sample::dealer_id()).await.unwrap();
        assert_eq!(record.dealer.settings.quota_low_at, at, "{typed}");
    }
    let left = AccountProfile {
        quota_left: Some(60),
        ..AccountProfile::default()
    };
    let store = &site.world.store;
    let (dealer, hour) = (sample::dealer_id(), Duration::from_secs(3_600));
    store.keep_profile(&dealer, &left, hour).await.unwrap();
    let pages = ["/console/dealers", OWN];
    for page in pages {
        let page = site.get(page, &office).await.body;
        assert!(page.contains("hampir habis"), "{page}");
    }
    // A page that was opened before keeps what others set since.
    let opened = shown(&site.get(OWN, &office).await.body);
    site.post(&path, &office, "quota_low_at=50").await;
    for page in pages {
        let page = site.get(page, &office).await.body;
        assert!(!page.contains("hampir habis"), "{page}");
    }
    let late = site
        .post(&path, &office, &format!("{opened}&jitter_ms=5"))
        .await;
    assert_eq!(late.status, 409);
    let words = "Peringatkan jika sisa kuota di bawah: <bdi>50</bdi>";
    assert!(late.body.contains(words), "{}", late.body);
}

/// A line that cannot be asked for anything.
struct Away;

#[async_trait::async_trait]
impl TestLine for Away {
    async fn send_test(&self, _: &DealerId, _: Phone) -> Result<CheckPassed, CheckError> {
        Err(CheckError::Store(StoreError::Corrupt("a row".into())))
    }
}

#[actix_web::test]
async fn a_test_that_the_store_cannot_answer_says_why() {
    let mut site = Site::new();
    site.tests = Some(Arc::new(Away));
    let cookie = site.dealer(Scope::Write).await;
    let test = format!("{OWN}/test");
    let refused = site.post(&test, &cookie, "target=0812+3456+789").await;
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("Terjadi kesalahan"));
}
