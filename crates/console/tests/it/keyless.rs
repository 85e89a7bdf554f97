//! The console of a service that asks for no keys.

use std::net::IpAddr;

use actix_web::test::TestRequest;
use callers::Keys;

use crate::site::Site;

fn site(listens_on: &str, peer: &str) -> Site {
    let host: IpAddr = listens_on.parse().unwrap();
    Site {
        keys: Keys::Off { host, said: true },
        peer: format!("{peer}:4711").parse().unwrap(),
        ..Site::new()
    }
}

async fn status(site: &Site, headers: &[(&'static str, &'static str)]) -> u16 {
    let request = TestRequest::get().uri("/console/messages");
    let request = headers
        .iter()
        .fold(request, |request, header| request.append_header(*header));
    site.send(request).await.status
}

const LOCALHOST: (&str, &str) = ("Host", "localhost:8300");

#[actix_web::test]
async fn whoever_is_on_the_same_machine_needs_no_log_in() {
    let site = site("127.0.0.1", "127.0.0.1");
    for host in ["localhost:8300", "127.0.0.1:8300", "[::1]:8300"] {
        let request = TestRequest::get()
            .uri("/console/messages")
            .insert_header(("Host", host));
        let page = site.send(request).await;
        assert_eq!(page.status, 200, "{host}");
        assert!(page.body.contains("tanpa kunci"));
        assert!(!page.body.contains("/console/logout"));
    }
    let login = TestRequest::get()
        .uri("/console/login")
        .insert_header(LOCALHOST);
    assert_eq!(site.send(login).await.location(), "/console");
}

#[actix_web::test]
async fn names_that_may_be_anybodys_are_refused() {
    let site = site("127.0.0.1", "127.0.0.1");
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1"] {
        assert_eq!(status(&site, &[("Host", host)]).await, 403, "{host}");
    }
    assert_eq!(status(&site, &[]).await, 403);
}

#[actix_web::test]
async fn for_everybody_else_there_is_no_console() {
    let proxied = [LOCALHOST, ("X-Forwarded-For", "127.0.0.1")];
    assert_eq!(status(&site("127.0.0.1", "127.0.0.1"), &proxied).await, 404);
    assert_eq!(
        status(&site("127.0.0.1", "10.0.0.7"), &[LOCALHOST]).await,
        404
    );
    assert_eq!(
        status(&site("10.0.0.1", "127.0.0.1"), &[LOCALHOST]).await,
        404
    );
}
