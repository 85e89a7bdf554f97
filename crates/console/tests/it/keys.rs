//! Keys, audit and system: what head office has.

use domain::access::{ApiKeyId, Scope};
use testkit::sample;

use crate::site::Site;

const HEAD_OFFICE: [&str; 3] = ["/console/keys", "/console/audit", "/console/system"];

#[actix_web::test]
async fn only_head_office_has_these_pages() {
    let site = Site::new();
    let (dealer, office) = (site.dealer(Scope::Write).await, site.head_office().await);
    let reader = site.key(None, Scope::Read).await;
    let reader = site.log_in(&reader).await;
    for path in HEAD_OFFICE {
        assert_eq!(site.get(path, &office).await.status, 200, "{path}");
        for cookie in [&dealer, &reader] {
            let refused = site.get(path, cookie).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.body.contains("kantor pusat (admin)"));
        }
        let menu = site.get("/console/messages", &dealer).await.body;
        assert!(!menu.contains(&format!("href=\"{path}\"")), "{path}");
    }
}

#[actix_web::test]
async fn a_key_is_made_and_shown_once() {
    let site = Site::new();
    let cookie = site.head_office().await;
    let form = "name=Kasir&dealer_id=0009999&scope=read&scope=write&expires=2099-12-31";
    let made = site.post("/console/keys", &cookie, form).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let key = made
        .body
        .split("<code>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let session = site.log_in(key).await;
    assert_eq!(site.get("/console/messages", &session).await.status, 200);
    let list = site.get("/console/keys", &cookie).await.body;
    assert!(list.contains("Kasir") && list.contains("read,write") && list.contains("31 Des 2099"));
    assert!(!list.contains(key));
}

#[actix_web::test]
async fn what_is_wrong_with_a_key_stands_at_its_field() {
    let site = Site::new();
    let cookie = site.head_office().await;
    for (form, words) in [
        ("name=+&scope=read", "Isi kolom ini."),
        ("name=Kasir", "Pilih paling sedikit satu izin."),
        (
            "name=Kasir&scope=read&dealer_id=1234567",
            "Tidak ada dealer dengan nomor ini.",
        ),
        (
            "name=Kasir&scope=admin&dealer_id=0009999",
            "Izin admin hanya untuk kantor pusat",
        ),
        (
            "name=Kasir&scope=read&expires=2020-01-01",
            "Tanggal ini sudah lewat.",
        ),
    ] {
        let refused = site.post("/console/keys", &cookie, form).await;
        assert_eq!(refused.status, 422, "{form}");
        assert!(refused.body.contains(words), "{form}");
        let kept = form.contains("name=Kasir");
        assert_eq!(refused.body.contains("value=\"Kasir\""), kept, "{form}");
    }
    let keys = site.world.services().keys;
    assert_eq!(keys.list().await.unwrap().len(), 1);
}

#[actix_web::test]
async fn a_key_is_revoked_after_asking_once() {
    let site = Site::new();
    let cookie = site.head_office().await;
    let key = site.key(Some(sample::dealer_id()), Scope::Read).await;
    let session = site.log_in(&key).await;
    let id = ApiKeyId::parse(&key[4..20]).unwrap();
    let path = format!("/console/keys/{id}/revoke");
    let asked = site.post(&path, &cookie, "").await;
    assert!(asked.body.contains("Cabut kunci ini?") && !asked.body.contains("kunci Anda sendiri"));
    assert_eq!(site.get("/console/messages", &session).await.status, 200);
    let done = site.post(&path, &cookie, "confirmed=yes").await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/console/keys?done=revoke")
    );
    assert_eq!(site.get("/console/messages", &session).await.status, 303);
    let list = site.get(done.location(), &cookie).await.body;
    assert!(list.contains("Kunci dicabut.") && list.contains("Dicabut"));
    let audit = site.get("/console/audit", &cookie).await.body;
    assert!(audit.contains("mencabut kunci") && audit.contains("Bengkel Uji"));
    let unknown = site
        .post("/console/keys/x/revoke", &cookie, "confirmed=yes")
        .await;
    assert_eq!(unknown.status, 404);
    let unknown = format!("/console/keys/{}/revoke", "0".repeat(16));
    assert_eq!(site.post(&unknown, &cookie, "").await.status, 404);
}

#[actix_web::test]
async fn pages_of_the_audit_follow_each_other() {
    let site = Site::new();
    let cookie = site.head_office().await;
    for _ in 0..60 {
        site.key(None, Scope::Read).await;
    }
    let first = site.get("/console/audit", &cookie).await.body;
    assert_eq!(first.matches("<tr>").count(), 51);
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap();
    let second = site
        .get(next.split('"').next().unwrap(), &cookie)
        .await
        .body;
    assert_eq!(second.matches("<tr>").count(), 12);
    assert!(second.contains("Ke yang terbaru") && !second.contains("rel=\"next\""));
}

#[actix_web::test]
async fn the_system_tells_how_it_is() {
    let site = Site::new();
    let id = site.accept(&sample::new_request()).await;
    let page = site
        .get("/console/system", &site.head_office().await)
        .await
        .body;
    for words in [
        "1.2.3",
        "database_schema",
        "Menunggu (QUEUED)",
        "<td class=\"number\" data-label=\"Jumlah\">1<",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(&id.to_string()));
}
