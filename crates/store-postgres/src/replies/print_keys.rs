//! The keys of the prints under which erased persons stay opted out.
//!
//! A print cannot be made anew without its phone. So the key of a print outlives the key of `SECRETS_KEY` from which it
//! came: it is kept in the schema, sealed under the newest one.

use diesel::prelude::*;
use diesel::upsert::excluded;
use domain::ports::StoreError;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::OnceCell;

use crate::connection::{Database, StoreResult};
use crate::schema::opt_out_former_key;
use crate::store::PgStore;

/// What is authenticated with a sealed key.
const PURPOSE: &[u8] = b"customer-service key of phone prints";

/// The keys of prints, the one of new prints first.
#[derive(Default)]
pub(crate) struct PrintKeys {
    /// Those that come from `SECRETS_KEY`, in its order.
    own: Vec<Vec<u8>>,
    /// These and the former ones, read once: only an operator adds one, while the copies that run know it.
    all: OnceCell<Vec<Vec<u8>>>,
}

/// What became of the keys of former prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormerKeys {
    /// How many are kept, sealed under the first key.
    pub kept: usize,
    /// How many are sealed under a key that is not there.
    pub shut: usize,
}

impl PrintKeys {
    pub(crate) fn of(own: Vec<Vec<u8>>) -> Self {
        Self {
            own,
            all: OnceCell::new(),
        }
    }

    /// All keys under which there may be prints, but that of the schema.
    pub(crate) async fn all(&self, database: &Database) -> StoreResult<&[Vec<u8>]> {
        if self.own.is_empty() {
            return Ok(&[]);
        }
        let all = self.all.get_or_try_init(async || {
            let (former, shut) = self.former(database).await?;
            if shut > 0 {
                tracing::error!(
                    keys.shut = shut,
                    "some erased persons are not known as opted out: keys of SECRETS_KEY are missing"
                );
            }
            let mut all = self.own.clone();
            all.extend(former.into_iter().filter(|key| !self.own.contains(key)));
            Ok::<_, StoreError>(all)
        });
        Ok(all.await?)
    }

    /// The kept keys that can be opened, and how many cannot.
    async fn former(&self, database: &Database) -> StoreResult<(Vec<Vec<u8>>, usize)> {
        let sealed = opt_out_former_key::table.select(opt_out_former_key::sealed);
        let sealed: Vec<Vec<u8>> = database.all(sealed).await?;
        let mut opened = Vec::new();
        for value in &sealed {
            opened.extend(self.own.iter().find_map(|key| open(key, value)));
        }
        let shut = sealed.len() - opened.len();
        Ok((opened, shut))
    }
}

impl PgStore {
    /// The keys of prints, but that of the schema.
    pub(crate) async fn print_keys(&self) -> StoreResult<&[Vec<u8>]> {
        self.print_keys.all(&self.database).await
    }

    /// Keeps the keys of all prints, sealed under the first key of `SECRETS_KEY`, so that the others can go. Can be
    /// repeated.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn keep_print_keys(&self) -> Result<FormerKeys, StoreError> {
        let Some((first, others)) = self.print_keys.own.split_first() else {
            return Ok(FormerKeys::default());
        };
        let (mut former, shut) = self.print_keys.former(&self.database).await?;
        former.extend(others.iter().cloned());
        former.retain(|key| key != first);
        former.sort();
        former.dedup();
        for key in &former {
            let sealed = seal(first, key).ok_or_else(|| {
                StoreError::Unavailable("a key of prints cannot be sealed".into())
            })?;
            let id = digest(&SHA256, key).as_ref().to_vec();
            let keeping = diesel::insert_into(opt_out_former_key::table)
                .values((
                    opt_out_former_key::id.eq(id),
                    opt_out_former_key::sealed.eq(sealed),
                ))
                .on_conflict(opt_out_former_key::id)
                .do_update()
                .set(opt_out_former_key::sealed.eq(excluded(opt_out_former_key::sealed)));
            self.database.run(keeping).await?;
        }
        Ok(FormerKeys {
            kept: former.len(),
            shut,
        })
    }
}

fn cipher(key: &[u8]) -> Option<LessSafeKey> {
    let named = [PURPOSE, key].concat();
    let derived = digest(&SHA256, &named);
    let unbound = UnboundKey::new(&CHACHA20_POLY1305, derived.as_ref()).ok()?;
    Some(LessSafeKey::new(unbound))
}

/// Seals a key under another one.
fn seal(under: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let mut value = key.to_vec();
    let unique = Nonce::assume_unique_for_key(nonce);
    cipher(under)?
        .seal_in_place_append_tag(unique, Aad::from(PURPOSE), &mut value)
        .ok()?;
    Some([nonce.as_slice(), &value].concat())
}

/// Opens what was sealed under a key; none under another one.
fn open(under: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, value) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut value = value.to_vec();
    let opened = cipher(under)?.open_in_place(nonce, Aad::from(PURPOSE), &mut value);
    Some(opened.ok()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_opened_under_the_one_that_sealed_it() {
        let sealed = seal(b"new", b"former").unwrap();
        assert_eq!(open(b"new", &sealed).as_deref(), Some(&b"former"[..]));
        assert_ne!(seal(b"new", b"former").unwrap(), sealed);
        assert_eq!(open(b"other", &sealed), None);
        for end in 0..sealed.len() {
            assert_eq!(open(b"new", &sealed[..end]), None);
        }
    }
}
