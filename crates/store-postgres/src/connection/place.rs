//! The part of a database URL before its parameters, and percent-decoding.

use super::DatabaseUrlError;
use super::parameters::Parameters;

/// Reads user, password, hosts and database.
pub(super) fn read_place(parameters: &mut Parameters, place: &str) -> Result<(), DatabaseUrlError> {
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    // The last `@` ends the password: an `@` in a password is often not written as %40.
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    parameters.set("user", &decoded_text(user)?)?;
    // A password may be of any bytes.
    let password = decoded(password)?;
    if !password.is_empty() {
        parameters.config.password(password);
    }
    parameters.set("dbname", &decoded_text(path)?)?;
    if hosts.is_empty() {
        return Ok(());
    }
    for part in hosts.split(',') {
        let (host, port) = match part.strip_prefix('[').map(|part| part.split_once(']')) {
            Some(Some((host, port))) => (host, port),
            Some(None) => return Err(DatabaseUrlError::Hosts),
            None => part.split_at(part.find(':').unwrap_or(part.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port,
            None if port.is_empty() => "",
            None => return Err(DatabaseUrlError::Hosts),
        };
        parameters.hosts.push(decoded_text(host)?);
        parameters.ports.push(decoded_text(port)?);
    }
    Ok(())
}

/// Percent-decodes a part of a URL; a plus is a plus.
fn decoded(part: &str) -> Result<Vec<u8>, DatabaseUrlError> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        at += 1;
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                at += 2;
                decoded.push(u8::try_from(16 * high + low).unwrap_or_default());
            }
            _ => decoded.push(*byte),
        }
    }
    if decoded.contains(&0) {
        return Err(DatabaseUrlError::NotText);
    }
    Ok(decoded)
}

pub(super) fn decoded_text(part: &str) -> Result<String, DatabaseUrlError> {
    String::from_utf8(decoded(part)?).map_err(|_| DatabaseUrlError::NotText)
}
