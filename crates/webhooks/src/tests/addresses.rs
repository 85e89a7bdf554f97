use crate::fault::AttemptError;
use domain::values::AllowedHost;

use super::receiver::{OK, Receiver, client_where, options, post};
use crate::client::{EventClient, EventClientOptions};

const REFUSED: Option<AttemptError> = Some(AttemptError::AddressNotAllowed);

fn for_the_world() -> EventClientOptions {
    EventClientOptions::default()
}

fn allowing(host: &str) -> EventClientOptions {
    EventClientOptions {
        allowed_hosts: vec![AllowedHost::parse(host).unwrap()],
        ..for_the_world()
    }
}

#[tokio::test]
async fn a_literal_address_that_is_not_public_is_refused_in_every_spelling() {
    let receiver = Receiver::start().await;
    let client = EventClient::new(for_the_world()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
    ] {
        let url = receiver.url("https", host);
        assert_eq!(post(&client, &url).await.err(), REFUSED, "{host}");
    }
    assert!(!receiver.was_called().await);
}

#[tokio::test]
async fn plain_http_is_for_this_machine_and_from_this_machine() {
    let receiver = Receiver::start().await;
    let remote = EventClient::new(for_the_world()).unwrap();
    assert_eq!(post(&remote, &receiver.here()).await.err(), REFUSED);
    let named = receiver.url("http", "localhost");
    assert_eq!(post(&remote, &named).await.err(), REFUSED);
    let local = EventClient::new(options()).unwrap();
    assert_eq!(post(&local, "http://10.0.0.1/").await.err(), REFUSED);
    assert_eq!(post(&local, "http://1.1.1.1/").await.err(), REFUSED);
    // Encrypted, this machine is no more public than without.
    let encrypted = receiver.url("https", "127.0.0.1");
    assert_eq!(post(&local, &encrypted).await.err(), REFUSED);
    assert!(!receiver.was_called().await);
    let (ended, _) = tokio::join!(post(&local, &named), receiver.answer(OK));
    assert_eq!(ended.unwrap().status, 204);
}

#[tokio::test]
async fn a_loopback_name_counts_only_when_all_its_addresses_are() {
    let receiver = Receiver::start().await;
    let url = receiver.url("http", "workshop.test");
    for addresses in [
        &["127.0.0.1", "1.1.1.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["127.0.0.1", "10.0.0.1"],
        &["1.1.1.1"],
    ] {
        let (client, _) = client_where(options(), None, addresses);
        assert_eq!(post(&client, &url).await.err(), REFUSED, "{addresses:?}");
    }
    assert!(!receiver.was_called().await);
    for addresses in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"]] {
        let (client, asked) = client_where(options(), None, addresses);
        let (ended, _) = tokio::join!(post(&client, &url), receiver.answer(OK));
        assert_eq!(ended.unwrap().status, 204, "{addresses:?}");
        assert_eq!(asked.times(), 1, "what was checked is connected to");
    }
}

#[tokio::test]
async fn a_name_with_an_address_that_is_not_public_is_refused() {
    let receiver = Receiver::start().await;
    let url = receiver.url("https", "hooks.example");
    for addresses in [
        &["127.0.0.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700:4700::1111", "fd00::1"],
        &["::ffff:10.0.0.1"],
        &["64:ff9b::a9fe:a9fe"],
        &["100.64.0.1"],
    ] {
        let (client, asked) = client_where(options(), None, addresses);
        assert_eq!(post(&client, &url).await.err(), REFUSED, "{addresses:?}");
        assert_eq!(asked.times(), 1);
    }
    assert!(!receiver.was_called().await);
}

#[tokio::test]
async fn an_allowed_host_needs_https_all_the_same() {
    let (client, asked) = client_where(allowing("hooks.internal"), None, &["127.0.0.1"]);
    for url in ["http://hooks.internal/", "https://other.internal/"] {
        assert_eq!(post(&client, url).await.err(), REFUSED, "{url}");
    }
    assert_eq!(asked.times(), 1, "of the other name alone");
    let literal = EventClient::new(allowing("127.0.0.1")).unwrap();
    let receiver = Receiver::start().await;
    assert_eq!(post(&literal, &receiver.here()).await.err(), REFUSED);
    assert!(!receiver.was_called().await);
}
