//! The superuser's password.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rand::distr::{Alphanumeric, SampleString};

use crate::Error;
use crate::error::Attempt;
use crate::home::private_file;

const LENGTH: usize = 32;

/// Letters and digits only, so that a URL needs no escapes. `Debug` hides it.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    pub(crate) fn random() -> Self {
        Self(random_name(LENGTH))
    }

    /// `None` without a file, or with an incomplete one.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>, Error> {
        match fs::read_to_string(file) {
            Ok(text) => Ok(Self::parse(text.trim_end())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).attempt("read", file),
        }
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), Error> {
        private_file(file)
            .and_then(|mut open| {
                open.set_len(0)?;
                writeln!(open, "{}", self.0)?;
                open.sync_all()
            })
            .attempt("write", file)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }
}

/// Random letters and digits.
pub(crate) fn random_name(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_written_password_is_read_back_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let password = Password::random();
        password.write(&file).unwrap();
        assert_eq!(
            Password::read(&file).unwrap().unwrap().expose(),
            password.expose()
        );
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_missing_or_half_written_password_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        assert!(Password::read(&file).unwrap().is_none());
        fs::write(&file, "abc").unwrap();
        assert!(Password::read(&file).unwrap().is_none());
    }
}
