use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use domain::access::SessionToken;
use domain::usecases::Logins;
use exports::IsOver;
use tokio::time::timeout;

use crate::cookies;
use crate::state::Console;
use crate::visit::Visit;

/// How often it is asked whether a session goes on: within 5 seconds what takes long ends with its key.
pub(crate) const LOOK: Duration = Duration::from_secs(4);

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// The session of a visitor, for what takes long; none without keys.
#[derive(Clone)]
pub(crate) struct Session(Option<Arc<(SessionToken, Arc<Logins>)>>);

impl Session {
    pub(crate) fn of(request: &HttpRequest, visit: &Visit, console: &Console) -> Self {
        let token = cookies::session(request, visit.https);
        Self(token.map(|token| Arc::new((token, console.services.logins.clone()))))
    }

    /// Whether it is over; while the store cannot say so it is not.
    pub(crate) async fn is_over(&self) -> bool {
        let Some((token, logins)) = self.0.as_deref() else {
            return false;
        };
        matches!(timeout(PATIENCE, logins.holder(token)).await, Ok(Ok(None)))
    }

    /// The same, for what is written by others.
    pub(crate) fn told(self) -> IsOver {
        Box::new(move || {
            let session = self.clone();
            Box::pin(async move { session.is_over().await })
        })
    }
}
