use std::sync::Arc;

use domain::ports::BoxError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::DatabaseUrl;

/// The common name of a certificate's subject.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// How far the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    /// Not at all: encrypted, but the server may be an impostor.
    None,
    /// The chain must end at a trusted root; names are not compared.
    Chain,
    /// The chain must end at a trusted root and the certificate must name the host.
    Full,
}

/// The TLS side of connections to this database.
pub(super) fn connector(url: &DatabaseUrl) -> Result<MakeRustlsConnect, BoxError> {
    let provider = Arc::new(ring::default_provider());
    let roots = match &url.root_certificate {
        Some(path) => CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let chain = match url.verification {
        Verification::None => None,
        Verification::Chain | Verification::Full => {
            let mut store = RootCertStore::empty();
            match &url.root_certificate {
                Some(_) => roots.iter().try_for_each(|root| store.add(root.clone()))?,
                None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            }
            let store = Arc::new(store);
            Some(WebPkiServerVerifier::builder_with_provider(store, provider.clone()).build()?)
        }
    };
    let verifier = Verifier {
        verification: url.verification,
        chain,
        roots,
        provider: provider.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Verifies as libpq does: less than TLS asks for with `prefer`, `require` and `verify-ca`, and with libpq's
/// rules for roots and names.
#[derive(Debug)]
struct Verifier {
    verification: Verification,
    /// Verifies the chain up to a root, where the mode asks for it, and then the name.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates of the root file.
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Whether a certificate that is in the root file itself is within its time of validity.
    fn verify_pinned(certificate: &Certificate, now: UnixTime) -> Result<(), Error> {
        let validity = &certificate.tbs_certificate.validity;
        let now = now.as_secs();
        if now < validity.not_before.to_unix_duration().as_secs() {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > validity.not_after.to_unix_duration().as_secs() {
            return Err(CertificateError::Expired.into());
        }
        Ok(())
    }

    /// Whether the certificate names the host. The common name counts where there is no alternative name of
    /// the host's kind.
    fn verify_name(end_entity: &CertificateDer<'_>, host: &ServerName<'_>) -> Result<(), Error> {
        let refusal = match verify_server_name(&ParsedCertificate::try_from(end_entity)?, host) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let certificate = parsed(end_entity)?;
        let is_named = !has_alternative_name(&certificate, host)
            && common_names(&certificate).any(|name| stands_for(&name, &host.to_str()));
        if is_named { Ok(()) } else { Err(refusal) }
    }
}

fn parsed(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

/// Whether the certificate has an alternative name of the host's kind.
fn has_alternative_name(certificate: &Certificate, host: &ServerName<'_>) -> bool {
    let is_address = matches!(host, ServerName::IpAddress(_));
    match certificate.tbs_certificate.get::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0.iter().any(|name| match name {
            GeneralName::DnsName(_) => !is_address,
            GeneralName::IpAddress(_) => is_address,
            _ => false,
        }),
        Ok(None) => false,
        // An unreadable extension may hold an alternative name.
        Err(_) => true,
    }
}

fn common_names(certificate: &Certificate) -> impl Iterator<Item = String> {
    let parts = certificate.tbs_certificate.subject.0.iter();
    parts
        .flat_map(|part| part.0.iter())
        .filter(|attribute| attribute.oid == COMMON_NAME)
        .filter_map(|attribute| String::from_utf8(attribute.value.value().to_vec()).ok())
}

/// Whether a common name matches a host; a leading `*.` matches one label.
fn stands_for(name: &str, host: &str) -> bool {
    let is_below = name.strip_prefix("*.").is_some_and(|domain| {
        let below = host.split_once('.');
        below.is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
    });
    is_below || name.eq_ignore_ascii_case(host)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        // To libpq a server's self-signed certificate is a root like any other. webpki refuses it: it signs
        // nothing, or is a CA certificate used as a server's.
        if self.roots.iter().any(|root| root == end_entity) {
            Self::verify_pinned(&parsed(end_entity)?, now)?;
        } else {
            match chain.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ) {
                // The chain is checked before the name.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => {}
                verdict => return verdict,
            }
        }
        if self.verification == Verification::Full {
            Self::verify_name(end_entity, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (name, host, expected) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "a.db.example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("*", "localhost", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("db", "db.example.com", false),
        ] {
            assert_eq!(stands_for(name, host), expected, "{name} {host}");
        }
    }
}
