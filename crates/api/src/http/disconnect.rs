use actix_web::HttpRequest;
use tokio::sync::watch;

use crate::problem::Problem;

/// Whether whoever is at the other end of a connection will send nothing more: most likely it has left.
#[derive(Clone)]
pub(crate) struct Disconnect(watch::Receiver<bool>);

/// Where that is told.
pub(crate) struct DisconnectSignal(watch::Sender<bool>);

impl Default for DisconnectSignal {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl DisconnectSignal {
    pub(crate) fn end(&self) -> Disconnect {
        Disconnect(self.0.subscribe())
    }

    /// Nothing more will come.
    pub(crate) fn has_left(&self) {
        self.0
            .send_if_modified(|left| !std::mem::replace(left, true));
    }
}

impl Disconnect {
    /// Waits until it has left; for ever where nobody would tell.
    async fn has_left(mut self) {
        if self.0.wait_for(|left| *left).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Works on something that is dear for as long as its caller is there. An answer to one that has left is
/// read by nobody, unless it closed only its own half of the connection.
pub(crate) async fn unless_disconnected<T, E>(
    request: &HttpRequest,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Problem>
where
    Problem: From<E>,
{
    let Some(end) = request.conn_data::<Disconnect>().cloned() else {
        return Ok(work.await?);
    };
    tokio::select! {
        done = work => Ok(done?),
        () = end.has_left() => Err(Problem::Busy { submits: false }),
    }
}
