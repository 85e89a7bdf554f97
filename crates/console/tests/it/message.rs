//! One message.

use std::time::Duration;

use domain::access::Scope;
use domain::delivery::Outcome;
use domain::requests::{MessageState, RequestId};
use testkit::sample;

use crate::site::Site;

async fn page(site: &Site, id: RequestId, cookie: &str) -> String {
    let reply = site.get(&format!("/console/messages/{id}"), cookie).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

#[actix_web::test]
async fn a_message_tells_its_story() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Write).await;
    let waiting = page(&site, id, &cookie).await;
    for words in [
        "<h1><bdi>D 123 AD</bdi></h1>",
        "Menunggu",
        "QUEUED",
        "Batalkan",
        "Halo Adit",
    ] {
        assert!(waiting.contains(words), "{words}");
    }
    assert!(!waiting.contains("/resend\""));
    site.world.whatsapp.will(Outcome::Refused {
        reason: "invalid target 6282148523421".into(),
    });
    site.world.services().dispatcher.run_once(10).await.unwrap();
    let failed = page(&site, id, &cookie).await;
    for words in [
        "Ditolak Fonnte",
        "Gagal",
        "FAILED",
        "Kirim ulang",
        "invalid target",
    ] {
        assert!(failed.contains(words), "{words}");
    }
    // Nowhere is the phone.
    assert!(!failed.contains("82148523421"), "{failed}");
    assert!(failed.contains("0821*****421"));
}

#[actix_web::test]
async fn a_single_message_is_sent_again_and_cancelled_without_asking() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Write).await;
    let pending = site
        .post(&format!("/console/messages/{id}/resend"), &cookie, "")
        .await;
    assert_eq!(pending.status, 409);
    assert!(pending.body.contains("Tidak ada yang berubah"));
    let cancelled = site
        .post(&format!("/console/messages/{id}/cancel"), &cookie, "")
        .await;
    assert_eq!(cancelled.status, 303);
    assert_eq!(
        cancelled.location(),
        format!("/console/messages/{id}?done=cancel")
    );
    let shown = site.get(cancelled.location(), &cookie).await.body;
    assert!(shown.contains("Pesan dibatalkan."));
    assert!(shown.contains("Bengkel Uji membatalkan"), "{shown}");
    site.world.pass(Duration::from_secs(60));
    let resent = site
        .post(&format!("/console/messages/{id}/resend"), &cookie, "")
        .await;
    assert_eq!(
        resent.location(),
        format!("/console/messages/{id}?done=resend")
    );
    let shown = site.get(resent.location(), &cookie).await.body;
    for words in [
        "Pesan masuk antrean lagi.",
        "Bengkel Uji mengirim ulang",
        "Masuk antrean lagi",
    ] {
        assert!(shown.contains(words), "{words}");
    }
    assert_eq!(
        site.world.store.message_state(id),
        Some(MessageState::Queued)
    );
}

#[actix_web::test]
async fn a_phone_is_shown_once_and_the_audit_tells() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Read).await;
    assert!(!page(&site, id, &cookie).await.contains("082148523421"));
    let shown = site
        .post(&format!("/console/messages/{id}/phone"), &cookie, "")
        .await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("082148523421"));
    assert!(shown.body.contains("tercatat di audit"));
    assert!(shown.body.contains("Bengkel Uji menampilkan nomor"));
    let after = page(&site, id, &cookie).await;
    assert!(!after.contains("082148523421"));
    assert!(after.contains("Bengkel Uji menampilkan nomor"));
}

#[actix_web::test]
async fn what_is_another_dealers_is_not_there() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let id = site.accept(&sample::request_for(&other.id, 9)).await;
    let cookie = site.dealer(Scope::Write).await;
    let unknown = site
        .get(
            "/console/messages/23f16411-6eb2-4829-a964-9ad1f0e0cc22",
            &cookie,
        )
        .await;
    let foreign = site.get(&format!("/console/messages/{id}"), &cookie).await;
    assert_eq!((foreign.status, unknown.status), (404, 404));
    let without_path = |body: &str, path: &str| body.replace(path, "");
    assert_eq!(
        without_path(&foreign.body, &id.to_string()),
        without_path(&unknown.body, "23f16411-6eb2-4829-a964-9ad1f0e0cc22")
    );
    for act in ["phone", "resend", "cancel"] {
        let reply = site
            .post(&format!("/console/messages/{id}/{act}"), &cookie, "")
            .await;
        assert_eq!(reply.status, 404, "{act}");
    }
    assert_eq!(site.world.store.message_count(), 1);
    let head_office = site.head_office().await;
    assert_eq!(
        site.get(&format!("/console/messages/{id}"), &head_office)
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn raw_answers_are_shown_without_phones() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    site.world.services().dispatcher.run_once(10).await.unwrap();
    let cookie = site.dealer(Scope::Read).await;
    let sent = page(&site, id, &cookie).await;
    assert!(sent.contains("Jawaban mentah Fonnte"), "{sent}");
    assert!(sent.contains("Diterima Fonnte"));
    assert!(!sent.contains("82148523421"));
}

#[actix_web::test]
async fn a_phone_in_another_field_is_masked_too() {
    let site = Site::new();
    let mut request = sample::new_request();
    let mut submission = sample::submission();
    submission.customer_name = "Adit 082148523421".into();
    let created = request.submission.created_time;
    request.submission = submission.validate(sample::now()).unwrap();
    request.submission.created_time = created;
    request.message.body = "Halo Adit 082148523421".to_owned();
    let id = site.accept(&request).await;
    let cookie = site.dealer(Scope::Read).await;
    let phone = "082148523421";
    let message = format!("/console/messages/{id}");
    for path in ["/console/messages", "/console", &message] {
        let page = site.get(path, &cookie).await.body;
        assert!(page.contains("Adit 0821*****421"), "{path}: {page}");
        assert!(!page.contains(phone), "{path}");
    }
    let shown = format!("{message}/phone");
    let shown = site.post(&shown, &cookie, "").await.body;
    assert!(shown.contains("Halo Adit 082148523421"));
}

#[actix_web::test]
async fn a_second_click_on_cancel_is_told_the_same() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Write).await;
    let shown = page(&site, id, &cookie).await;
    let newest = shown.split("name=\"newest\" value=\"").nth(1).unwrap();
    let form = format!("newest={}", newest.split('"').next().unwrap());
    let path = format!("/console/messages/{id}/cancel");
    for _ in 0..2 {
        let done = site.post(&path, &cookie, &form).await;
        assert_eq!(done.status, 303);
    }
    // Whoever cancels something else is not told so.
    assert_eq!(site.post(&path, &cookie, "").await.status, 409);
    assert_eq!(site.post(&path, &cookie, "newest=x").await.status, 400);
}
