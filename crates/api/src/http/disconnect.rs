use actix_web::HttpRequest;

use crate::problem::Problem;

/// Works on something that is dear for as long as its caller is there.
pub(crate) async fn unless_disconnected<T, E>(
    request: &HttpRequest,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem>
where
    Problem: From<E>,
{
    match callers::unless_disconnected(request, work).await {
        Some(done) => Ok(done?),
        None => Err(Problem::Busy { submits: false }),
    }
}
