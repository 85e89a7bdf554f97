use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// Bytes that a connection gets at once (chosen).
const PIECE_BYTES: usize = 16 * 1024;

/// A large body that all answers share. actix copies a whole body for each connection. In pieces, a slow
/// reader holds no more than two of them.
pub(crate) struct Pieces(Bytes);

impl Pieces {
    pub(crate) fn new(body: Bytes) -> Self {
        Self(body)
    }
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = PIECE_BYTES.min(self.0.len());
        Poll::Ready(Some(Ok(self.0.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    #[tokio::test]
    async fn the_pieces_are_the_whole() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7] {
            let whole: Bytes = (0..length).map(|n| (n % 251) as u8).collect();
            let pieces = Pieces::new(whole.clone());
            assert_eq!(pieces.size(), BodySize::Sized(length as u64));
            assert_eq!(to_bytes(pieces).await.unwrap(), whole);
        }
    }
}
