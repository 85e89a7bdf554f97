//! Over TLS.

use std::sync::Arc;

use domain::endpoints::{EventAnswer, EventError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::receiver::{OK, Receiver, client_where, header, naming, post, request};
use crate::tls::trusting;

const HOST: &str = "hooks.internal";

/// A server's side of TLS for this name, and a client's that trusts it.
fn trusted(name: &str) -> (TlsAcceptor, ClientConfig) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    (
        TlsAcceptor::from(Arc::new(server)),
        trusting(roots).unwrap(),
    )
}

#[tokio::test]
async fn an_allowed_host_is_called_over_tls_under_its_own_name() {
    let receiver = Receiver::start().await;
    let (server, tls) = trusted(HOST);
    let (client, asked) = client_where(naming(&[HOST]), Some(tls), &["127.0.0.1"]);
    let url = receiver.url("https", HOST);
    let answer = async {
        let mut peer = server.accept(receiver.accept().await).await.unwrap();
        assert_eq!(peer.get_ref().1.server_name(), Some(HOST));
        let request = request(&mut peer).await;
        peer.write_all(OK.as_bytes()).await.unwrap();
        request
    };
    let (ended, request) = tokio::join!(post(&client, &url), answer);
    assert_eq!(ended.status(), Some(204));
    assert!(header(&request, "host").starts_with(HOST));
    assert_eq!(asked.times(), 1);
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_of_the_name() {
    let receiver = Receiver::start().await;
    let url = receiver.url("https", HOST);
    let (server, _) = trusted(HOST);
    let (other, tls) = trusted("other.internal");
    for (server, tls) in [(server, None), (other, Some(tls))] {
        let (client, _) = client_where(naming(&[HOST]), tls, &["127.0.0.1"]);
        let refuse = async { server.accept(receiver.accept().await).await.is_err() };
        let (ended, refused) = tokio::join!(post(&client, &url), refuse);
        assert_eq!(ended, EventAnswer::Error(EventError::Tls));
        assert!(refused, "nothing was written");
    }
}

#[tokio::test]
async fn a_receiver_without_tls_is_none_for_https() {
    let receiver = Receiver::start().await;
    let (client, _) = client_where(naming(&[HOST]), None, &["127.0.0.1"]);
    let url = receiver.url("https", HOST);
    let plain = async {
        let mut peer = receiver.accept().await;
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        peer
    };
    let (ended, _) = tokio::join!(post(&client, &url), plain);
    assert_eq!(ended, EventAnswer::Error(EventError::Tls));
}
