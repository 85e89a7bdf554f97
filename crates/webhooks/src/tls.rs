//! TLS: rustls with ring and Mozilla's roots, independent of process and machine.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client of event webhooks could not be built")]
pub struct SetupError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// Mozilla's root certificates.
pub(crate) fn mozilla() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

/// A configuration that trusts these roots.
pub(crate) fn trusting(roots: RootCertStore) -> Result<ClientConfig, SetupError> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
