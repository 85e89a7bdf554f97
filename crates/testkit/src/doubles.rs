use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::ports::{Bell, Dice, Entropy, Ids, TestLine};
use domain::requests::{MessageId, RequestId};
use domain::usecases::{CheckError, CheckPassed, DealerCheck};
use domain::values::{DealerId, Phone};

use crate::sample;

/// UUIDv7 ids that rise with every call and are the same in every run of a test.
#[derive(Debug, Default)]
pub struct SequentialIds {
    given: AtomicU32,
}

impl SequentialIds {
    /// Ids from the first one on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn next(&self) -> u32 {
        self.given.fetch_add(1, Ordering::Relaxed)
    }
}

impl Ids for SequentialIds {
    fn request(&self) -> RequestId {
        RequestId(sample::uuid(self.next(), b"request"))
    }

    fn message(&self) -> MessageId {
        MessageId(sample::uuid(self.next(), b"message"))
    }
}

impl Entropy for SequentialIds {
    fn bytes(&self) -> [u8; 40] {
        let mut bytes = [0x5e; 40];
        bytes[..4].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }
}

/// Dice with a fixed number.
#[derive(Debug, Clone, Copy)]
pub struct FixedDice(
    /// The number, in 0..1.
    pub f64,
);

impl Default for FixedDice {
    /// The middle: waits that vary at random have their nominal length.
    fn default() -> Self {
        Self(0.5)
    }
}

impl Dice for FixedDice {
    fn roll(&self) -> f64 {
        self.0
    }
}

/// A bell that counts its rings.
#[derive(Debug, Default)]
pub struct CountingBell {
    rings: AtomicUsize,
}

impl CountingBell {
    /// A bell without a ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of rings.
    #[must_use]
    pub fn rings(&self) -> usize {
        self.rings.load(Ordering::SeqCst)
    }
}

impl Bell for CountingBell {
    fn ring(&self) {
        self.rings.fetch_add(1, Ordering::SeqCst);
    }

    fn ring_for(&self, _dealer: &DealerId) {
        self.ring();
    }
}

/// Sends test messages within the caller's future, at once or not at all.
pub struct TestsInPlace(
    /// The use case.
    pub Arc<DealerCheck>,
);

#[async_trait]
impl TestLine for TestsInPlace {
    async fn send_test(&self, dealer: &DealerId, target: Phone) -> Result<CheckPassed, CheckError> {
        let test = self.0.begin_test(dealer, target).await?;
        let end = self.0.call(&test).await;
        // The caller gets the answer in any case.
        let _ = self.0.settle(&end.lease, &end.settlement).await;
        end.answer
    }
}
