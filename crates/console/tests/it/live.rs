//! The live line: what came in since a page was made.

use std::future::poll_fn;
use std::pin::Pin;

use actix_web::App;
use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::test::{TestRequest, call_service, init_service};
use domain::access::{ApiKeyId, Scope};
use domain::ports::Clock as _;
use domain::requests::RequestId;
use domain::values::DealerId;
use testkit::sample;
use uuid::Uuid;

use crate::site::Site;

/// Stores a request whose id is made now.
async fn arrive(site: &Site, dealer: &DealerId, n: u32) {
    let mut request = sample::request_for(dealer, n);
    let now = u128::try_from(site.world.clock.now().timestamp_millis()).unwrap();
    request.id = RequestId(Uuid::from_u128(now << 80 | u128::from(n)));
    site.accept(&request).await;
}

/// The stream that the holder of this cookie gets.
async fn stream(site: &Site, cookie: &str) -> BoxBody {
    let configure = site.console().configure();
    let app = init_service(App::new().configure(|config| configure(config))).await;
    let request = TestRequest::get()
        .uri("/console/live")
        .insert_header(("Cookie", cookie.to_owned()))
        .peer_addr(site.peer);
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers().get("content-type").unwrap(),
        "text/event-stream"
    );
    response.into_body().boxed()
}

/// The next that is no heartbeat; none at the end.
async fn next(stream: &mut BoxBody) -> Option<String> {
    loop {
        let piece = poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await?;
        let piece = String::from_utf8(piece.ok().unwrap().to_vec()).unwrap();
        if piece != ":\n\n" {
            return Some(piece);
        }
    }
}

/// The total of an event.
fn total(event: Option<String>) -> String {
    let event = event.unwrap();
    let data = event
        .strip_prefix("data: ")
        .and_then(|it| it.strip_suffix("\n\n"));
    data.and_then(|it| it.split_once(' ')).unwrap().1.to_owned()
}

#[actix_web::test]
async fn a_page_has_the_line_while_it_shows_the_newest() {
    let site = Site::new();
    site.accept(&sample::new_request()).await;
    let cookie = site.dealer(Scope::Read).await;
    for path in ["/console", "/console/messages", "/console/messages?q=Adit"] {
        let page = site.get(path, &cookie).await.body;
        assert_eq!(
            page.matches("data-live=\"/console/live\"").count(),
            1,
            "{path}"
        );
        assert!(page.contains("data-words=\"{} pesan baru\""));
        assert!(page.contains(&format!("href=\"{path}\" hidden")), "{path}");
    }
    assert_eq!(site.get("/console/live", "").await.status, 303);
    let asked = site.get("/console/live?once=yes", &cookie).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.ends_with(" 0"), "{}", asked.body);
}

#[actix_web::test]
async fn a_dealer_is_told_of_its_own_and_head_office_of_all() {
    let site = Site::new();
    let other = sample::dealer_numbered(1);
    site.world.store.put_dealer(other.clone());
    let (dealer, office) = (site.dealer(Scope::Read).await, site.head_office().await);
    tokio::time::pause();
    let mut own = stream(&site, &dealer).await;
    let mut all = stream(&site, &office).await;
    assert_eq!(total(next(&mut own).await), "0");
    assert_eq!(total(next(&mut all).await), "0");
    arrive(&site, &other.id, 1).await;
    assert_eq!(total(next(&mut all).await), "1");
    arrive(&site, &sample::dealer_id(), 2).await;
    arrive(&site, &sample::dealer_id(), 3).await;
    assert_eq!(total(next(&mut own).await), "2");
    assert_eq!(total(next(&mut all).await), "3");
}

#[actix_web::test]
async fn a_stream_ends_with_its_session_and_with_the_service() {
    let site = Site::new();
    let cookie = site.dealer(Scope::Read).await;
    let lasting = site.head_office().await;
    tokio::time::pause();
    let mut own = stream(&site, &cookie).await;
    let mut other = stream(&site, &lasting).await;
    assert!(next(&mut own).await.is_some() && next(&mut other).await.is_some());
    let keys = site.world.services().keys;
    let all = keys.list().await.unwrap();
    let of_dealer = all
        .iter()
        .find(|(key, _)| key.access.visibility().dealer().is_some());
    let id: ApiKeyId = of_dealer.unwrap().0.id;
    keys.revoke(id, &sample::author()).await.unwrap();
    assert_eq!(next(&mut own).await, None);
    site.stop.cancel();
    assert_eq!(next(&mut other).await, None);
}

#[actix_web::test]
async fn streams_are_bounded() {
    let site = Site::new();
    // Each key has its share.
    let mut cookies = Vec::new();
    for _ in 0..17 {
        cookies.push(site.dealer(Scope::Read).await);
    }
    let configure = site.console().configure();
    let app = init_service(App::new().configure(|config| configure(config))).await;
    let ask = async |n: usize| {
        let request = TestRequest::get().uri("/console/live").peer_addr(site.peer);
        let request = request.insert_header(("Cookie", cookies[n].clone()));
        call_service(&app, request.to_request()).await
    };
    let mut open = Vec::new();
    for n in 0..512 {
        open.push(ask(n % 16).await);
    }
    assert!(open.iter().all(|response| response.status() == 200));
    assert_eq!(ask(16).await.status(), 503);
    open.pop();
    assert_eq!(ask(16).await.status(), 200, "one that ends makes room");
}

/// One key leaves streams to others; who has none asks now and then.
#[actix_web::test]
async fn a_key_has_its_share_of_streams() {
    let site = Site::new();
    let cookies = [
        site.dealer(Scope::Read).await,
        site.dealer(Scope::Read).await,
    ];
    let configure = site.console().configure();
    let app = init_service(App::new().configure(|config| configure(config))).await;
    let ask = |cookie: &str| {
        TestRequest::get()
            .uri("/console/live")
            .insert_header(("Cookie", cookie.to_owned()))
            .peer_addr(site.peer)
            .to_request()
    };
    let mut open = Vec::new();
    for _ in 0..32 {
        let response = call_service(&app, ask(&cookies[0])).await;
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    assert_eq!(call_service(&app, ask(&cookies[0])).await.status(), 503);
    assert_eq!(call_service(&app, ask(&cookies[1])).await.status(), 200);
    open.pop();
    assert_eq!(call_service(&app, ask(&cookies[0])).await.status(), 200);
}
