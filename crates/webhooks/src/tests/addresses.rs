use std::net::IpAddr;
use std::sync::Arc;

use domain::endpoints::{EndpointPolicy, EventAnswer, EventError};
use reqwest::dns::Resolve as _;

use super::receiver::{OK, Receiver, client, client_where, local, naming, post, status};
use crate::client::EventClient;
use crate::resolver::CheckedResolver;

const REFUSED: EventAnswer = EventAnswer::Error(EventError::AddressNotAllowed);

fn for_the_world() -> EventClient {
    EventClient::new(EndpointPolicy::default()).unwrap()
}

#[tokio::test]
async fn a_literal_address_that_is_not_public_is_refused_in_every_spelling() {
    let receiver = Receiver::start().await;
    let client = for_the_world();
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
        assert_eq!(post(&client, &url).await, REFUSED, "{host}");
    }
    assert!(!receiver.was_called().await);
}

#[tokio::test]
async fn plain_http_is_for_this_machine_and_from_this_machine() {
    let receiver = Receiver::start().await;
    let remote = for_the_world();
    assert_eq!(post(&remote, &receiver.here()).await, REFUSED);
    let named = receiver.url("http", "localhost");
    assert_eq!(post(&remote, &named).await, REFUSED);
    let local = client();
    assert_eq!(post(&local, "http://10.0.0.1/").await, REFUSED);
    assert_eq!(post(&local, "http://1.1.1.1/").await, REFUSED);
    // Encrypted, this machine is no more public than without.
    let encrypted = receiver.url("https", "127.0.0.1");
    assert_eq!(post(&local, &encrypted).await, REFUSED);
    assert!(!receiver.was_called().await);
    let (ended, _) = tokio::join!(status(&local, &named), receiver.answer(OK));
    assert_eq!(ended, Some(204));
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
        let (client, _) = client_where(local(), None, addresses);
        assert_eq!(post(&client, &url).await, REFUSED, "{addresses:?}");
    }
    assert!(!receiver.was_called().await);
    for addresses in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"]] {
        let (client, asked) = client_where(local(), None, addresses);
        let (ended, _) = tokio::join!(status(&client, &url), receiver.answer(OK));
        assert_eq!(ended, Some(204), "{addresses:?}");
        assert_eq!(asked.times(), 1, "what was checked is connected to");
    }
}

#[tokio::test]
async fn a_name_whose_addresses_are_not_public_is_refused() {
    let receiver = Receiver::start().await;
    let url = receiver.url("https", "hooks.example");
    for addresses in [
        &["127.0.0.1"][..],
        &["127.0.0.1", "fd00::1"],
        &["::ffff:10.0.0.1"],
        &["64:ff9b::a9fe:a9fe"],
        &["100.64.0.1"],
    ] {
        let (client, asked) = client_where(local(), None, addresses);
        assert_eq!(post(&client, &url).await, REFUSED, "{addresses:?}");
        assert_eq!(asked.times(), 1);
    }
    assert!(!receiver.was_called().await);
}

/// The HTTP client gets no other address to try.
#[tokio::test]
async fn of_several_addresses_only_the_public_ones_are_connected_to() {
    let addresses = ["127.0.0.1", "1.1.1.1", "fd00::1", "::ffff:8.8.8.8"];
    let found: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let resolver = CheckedResolver {
        scheme: "https",
        policy: Arc::default(),
        lookup: Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        }),
    };
    let admitted = resolver.resolve("hooks.example".parse().unwrap()).await;
    let admitted: Vec<_> = admitted
        .unwrap()
        .map(|address| address.to_string())
        .collect();
    assert_eq!(admitted, ["1.1.1.1:0", "8.8.8.8:0"]);
}

#[tokio::test]
async fn an_allowed_host_needs_https_all_the_same() {
    let (client, asked) = client_where(naming(&["hooks.internal"]), None, &["127.0.0.1"]);
    for url in ["http://hooks.internal/", "https://other.internal/"] {
        assert_eq!(post(&client, url).await, REFUSED, "{url}");
    }
    assert_eq!(asked.times(), 1, "of the other name alone");
    let literal = EventClient::new(naming(&["127.0.0.1"])).unwrap();
    let receiver = Receiver::start().await;
    assert_eq!(post(&literal, &receiver.here()).await, REFUSED);
    assert!(!receiver.was_called().await);
}
