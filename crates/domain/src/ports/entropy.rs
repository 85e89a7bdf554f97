/// The source of secrets.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Random bytes of a cryptographic generator.
    fn bytes(&self) -> [u8; 40];
}
