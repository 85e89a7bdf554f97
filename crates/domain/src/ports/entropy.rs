/// Where secrets come from.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Bytes that nobody can guess: from a generator made for cryptography.
    fn bytes(&self) -> [u8; 40];
}
