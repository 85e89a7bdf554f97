//! Lists and charts as files.

use domain::access::Scope;
use testkit::sample;

use crate::site::Site;

#[actix_web::test]
async fn a_list_is_downloaded_with_its_filters() {
    let site = Site::new();
    for n in 1..=3 {
        site.accept(&sample::request_for(&sample::dealer_id(), n))
            .await;
    }
    let cookie = site.dealer(Scope::Read).await;
    let page = site
        .get("/console/messages?whatsapp_status=NOT_SENT", &cookie)
        .await
        .body;
    for ending in ["csv", "xlsx"] {
        let link = format!("/console/messages.{ending}?whatsapp_status=NOT_SENT");
        assert!(page.contains(&format!("href=\"{link}\"")), "{page}");
        let file = site.get(&link, &cookie).await;
        assert_eq!(file.status, 200);
        let name = format!("attachment; filename=\"requests-0009999.{ending}\"");
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    }
    let file = site.get("/console/messages.csv", &cookie).await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        file.body.starts_with("id,dealer_id,request_date,"),
        "{}",
        file.body
    );
    assert_eq!(file.body.lines().count(), 4);
    let none = site
        .get("/console/messages.csv?whatsapp_status=READ", &cookie)
        .await;
    assert_eq!(none.body.lines().count(), 1);
}

#[actix_web::test]
async fn a_file_is_of_one_dealer_that_the_key_may_see() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    site.accept(&sample::request_for(&other.id, 1)).await;
    let own = site.dealer(Scope::Read).await;
    let of_other = format!("dealer_id={}", other.id);
    for file in ["messages.csv", "messages.xlsx", "analytics.csv"] {
        let refused = site.get(&format!("/console/{file}?{of_other}"), &own).await;
        assert_eq!(refused.status, 404, "{file}");
        assert_eq!(site.get(&format!("/console/{file}"), "").await.status, 303);
    }
    let office = site.head_office().await;
    let list = site.get("/console/messages", &office).await.body;
    assert!(list.contains("Pilih nomor dealer") && !list.contains("messages.csv"));
    let unmeant = site.get("/console/messages.csv", &office).await;
    assert_eq!(
        (unmeant.status, unmeant.location()),
        (303, "/console/messages")
    );
    let file = site
        .get(&format!("/console/messages.csv?{of_other}"), &office)
        .await;
    assert_eq!(file.body.lines().count(), 2, "{}", file.body);
    let faulty = site.get("/console/messages.xlsx?q=ab", &own).await;
    assert_eq!(faulty.location(), "/console/messages?q=ab");
    let nobody = site
        .get("/console/messages.csv?dealer_id=7777777", &office)
        .await;
    assert_eq!(nobody.status, 404);
}

#[actix_web::test]
async fn the_series_is_downloaded_as_it_is_shown() {
    let site = Site::new();
    site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Read).await;
    let query = "date_from=2019-12-30&date_to=2019-12-31";
    let page = site
        .get(&format!("/console/analytics?{query}"), &cookie)
        .await
        .body;
    let link = format!("/console/analytics.csv?{query}&bucket=day");
    assert!(
        page.contains(&format!("href=\"{}\"", link.replace('&', "&amp;"))),
        "{page}"
    );
    let file = site.get(&link, &cookie).await;
    let name = "attachment; filename=\"analytics-0009999-day-2019-12-30-2019-12-31.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    assert_eq!(
        file.body,
        "start,requests,sent,delivered,read,failed,unknown,not_sent\r\n\
         2019-12-30,0,0,0,0,0,0,0\r\n2019-12-31,1,0,0,0,0,0,1\r\n"
    );
    let long = "date_from=2019-01-01&date_to=2019-12-31&bucket=hour";
    let long = site
        .get(&format!("/console/analytics.csv?{long}"), &cookie)
        .await;
    assert_eq!(long.status, 303);
    let office = site.head_office().await;
    let all = site
        .get(&format!("/console/analytics.csv?{query}"), &office)
        .await;
    assert!(
        all.header("content-disposition")
            .is_some_and(|name| name.contains("analytics-all-day"))
    );
}
