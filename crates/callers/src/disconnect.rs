use actix_web::HttpRequest;
use tokio::sync::watch;

/// Whether whoever is at the other end of a connection will send nothing more: most likely it has left.
#[derive(Clone)]
pub struct Disconnect(watch::Receiver<bool>);

/// Where that is told.
pub struct DisconnectSignal(watch::Sender<bool>);

impl Default for DisconnectSignal {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl DisconnectSignal {
    /// What waits for it.
    #[must_use]
    pub fn end(&self) -> Disconnect {
        Disconnect(self.0.subscribe())
    }

    /// Nothing more will come.
    pub fn has_left(&self) {
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

/// Works on something that is dear for as long as its caller is there; none where it has left. An answer to one that
/// has left is read by nobody, unless it closed only its own half of the connection.
pub async fn unless_disconnected<T>(
    request: &HttpRequest,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(end) = request.conn_data::<Disconnect>().cloned() else {
        return Some(work.await);
    };
    tokio::select! {
        done = work => Some(done),
        () = end.has_left() => None,
    }
}
