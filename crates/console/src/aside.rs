use actix_web::HttpRequest;
use callers::unless_disconnected;

use crate::mistake::Mistake;

/// Does what takes long on a thread of its own, so that it holds up no other page. It goes on to its end when the
/// visitor leaves.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Mistake> {
    let doing = tokio::task::spawn_blocking(work);
    // A panic has told where.
    doing.await.map_err(|_| Mistake::Unforeseen)
}

/// Works on something that is dear for as long as its visitor is there.
pub(crate) async fn while_there<T, E>(
    request: &HttpRequest,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Mistake>
where
    Mistake: From<E>,
{
    match unless_disconnected(request, work).await {
        Some(done) => Ok(done?),
        None => Err(Mistake::Busy),
    }
}
