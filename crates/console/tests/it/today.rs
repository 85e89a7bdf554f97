//! *Today*, and the analytics.

use domain::access::Scope;
use domain::delivery::Outcome;
use testkit::sample;

use crate::site::Site;

#[actix_web::test]
async fn who_has_no_trouble_is_told_so() {
    let site = Site::new();
    site.accept(&sample::request_at(
        &sample::dealer_id(),
        1,
        sample::morning(2026, 1, 5),
    ))
    .await;
    for cookie in [site.dealer(Scope::Read).await, site.head_office().await] {
        let page = site.get("/console", &cookie).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for words in [
            "Tidak ada yang perlu perhatian.",
            "Perjalanan pesan",
            "Pelanggan 1",
            "08.00",
        ] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
    }
}

#[actix_web::test]
async fn trouble_comes_first_and_leads_to_what_can_be_done() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    site.accept(&sample::request_for(&other.id, 1)).await;
    site.world.whatsapp.will(Outcome::Unknown {
        reason: "no answer".into(),
    });
    site.world.whatsapp.will(Outcome::Unknown {
        reason: "no answer".into(),
    });
    for _ in 0..2 {
        site.world.services().dispatcher.run_once(10).await.unwrap();
        site.world.pass(std::time::Duration::from_secs(3_600));
    }
    let office = site.get("/console", &site.head_office().await).await.body;
    let link = format!(
        "whatsapp_status=ERROR&amp;date_from=2000-01-01&amp;dealer_id={}",
        other.id
    );
    for words in [
        "1 hal perlu perhatian",
        "Nasib pesan tidak diketahui",
        &link,
    ] {
        assert!(office.contains(words), "{words}: {office}");
    }
    // Of another dealer's trouble nothing is told.
    let dealer = site
        .get("/console", &site.dealer(Scope::Read).await)
        .await
        .body;
    assert!(
        dealer.contains("Tidak ada yang perlu perhatian.") && !dealer.contains(other.id.as_str())
    );
}

#[actix_web::test]
async fn an_inactive_dealer_still_has_a_first_page() {
    let site = Site::new();
    let mut dealer = sample::dealer();
    dealer.active = false;
    site.world.store.put_dealer(dealer);
    let page = site.get("/console", &site.dealer(Scope::Read).await).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("Perjalanan pesan"));
}

#[actix_web::test]
async fn every_chart_has_its_table() {
    let site = Site::new();
    for n in 1..=3 {
        let created = sample::morning(2026, 1, 5);
        site.accept(&sample::request_at(&sample::dealer_id(), n, created))
            .await;
    }
    let path = "/console/analytics?date_from=2026-01-01&date_to=2026-01-07";
    let office = site.head_office().await;
    let page = site.get(path, &office).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let body = &page.body;
    for words in [
        "5 Jan 2026",
        "BeAT Street",
        "Per dealer",
        "Dealer Demo",
        "Sen",
        "heat-4",
    ] {
        assert!(body.contains(words), "{words}");
    }
    // A row for each day, those without requests too.
    for day in 1..=7 {
        assert!(
            body.contains(&format!("<th scope=\"row\">{day} Jan 2026</th>")),
            "{day}"
        );
    }
    let hours = format!("{path}&bucket=hour&date_to=2026-03-01");
    let dealer = site.dealer(Scope::Read).await;
    let faulty = site
        .get(&hours.replace("date_to=2026-01-07&", ""), &dealer)
        .await;
    assert_eq!(faulty.status, 422);
    assert!(faulty.body.contains("Terlalu banyak baris"));
    let foreign = site
        .get("/console/analytics?dealer_id=1234567", &dealer)
        .await;
    assert_eq!(foreign.status, 404);
    let own = site.get(path, &dealer).await.body;
    assert!(!own.contains("Per dealer"));
}

#[actix_web::test]
async fn accounts_and_counts_of_all_dealers_are_for_admin() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    site.accept(&sample::request_for(&other.id, 1)).await;
    let key = site.key(None, Scope::Write).await;
    let cookie = site.log_in(&key).await;
    let today = site.get("/console", &cookie).await;
    assert_eq!(today.status, 200);
    assert!(today.body.contains("perlu izin admin") && today.body.contains("Pelanggan 1"));
    assert!(!today.body.contains("Perjalanan pesan") && !today.body.contains("perhatian"));
    assert!(!today.body.contains("href=\"/console/dealers\""));
    for path in ["/console/dealers", "/console/dealers/0009999"] {
        assert_eq!(site.get(path, &cookie).await.status, 403, "{path}");
    }
    let test = "/console/dealers/0009999/test";
    assert_eq!(site.post(test, &cookie, "").await.status, 403);
    let all = site.get("/console/analytics", &cookie).await;
    assert_eq!(all.status, 200);
    assert!(all.body.contains("Tulis nomor dealer") && !all.body.contains("Perjalanan pesan"));
    let one = format!("/console/analytics?dealer_id={}", other.id);
    assert!(
        site.get(&one, &cookie)
            .await
            .body
            .contains("Perjalanan pesan")
    );
}
