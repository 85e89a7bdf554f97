//! A single submission.

use api_types::{Item, NotStoredReply, StoredReply, SubmissionBody};
use domain::values::IdempotencyKey;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue, LOCATION};

use crate::client::{Client, fresh_key};
use crate::error::{Error, Told};
use crate::retry::Repeat;

pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How a submission is made.
#[derive(Debug, Clone, Default)]
pub struct SubmitOptions {
    /// The key under which it is stored once; without it, a new one. Give the key of [`Error::Unknown`] to go on
    /// after it, or a name of your own, such as the number of an order.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whether the answer shall hold the request as it is stored.
    pub representation: bool,
}

/// A submission that is stored: its message will be sent.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The id of the request.
    pub request_id: String,
    /// The key that it was made under.
    pub idempotency_key: IdempotencyKey,
    /// Whether it was stored before under this key, by an earlier try of the same call too.
    pub replayed: bool,
    /// The request, where it was asked for.
    pub item: Option<Item>,
}

impl Client {
    /// Stores a submission and queues its message (`POST /customer/validate-customer`), under a key of its own:
    /// tries whose answers are lost store nothing twice.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Refused`] where the dealer is unknown, not active or without an account, and
    /// [`Error::Unknown`] with the key where no answer tells whether it is stored.
    pub async fn validate_customer(&self, body: &SubmissionBody) -> Result<Stored, Error> {
        self.validate_customer_with(body, &SubmitOptions::default())
            .await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`Client::validate_customer`].
    pub async fn validate_customer_with(
        &self,
        body: &SubmissionBody,
        options: &SubmitOptions,
    ) -> Result<Stored, Error> {
        let key = options.idempotency_key.clone().unwrap_or_else(fresh_key);
        let path = "/api/v1/customer/validate-customer";
        let mut call = self
            .call(Method::POST, path, &[], Repeat::Safe)?
            .json(body)?
            .once(&key)?;
        if options.representation {
            call = call.header(PREFER, HeaderValue::from_static("return=representation"));
        }
        let answer = self.answer(&call).await?;
        if let Ok(reply) = serde_json::from_slice::<NotStoredReply>(&answer.body)
            && reply.status == 0
        {
            let request_id = answer.header("x-request-id").unwrap_or_default();
            let status = answer.status.as_u16();
            let told = Told::new(status, "NotStored", &reply.message.error, request_id);
            return Err(Error::Refused(told));
        }
        let reply: StoredReply = call.read(&answer)?;
        let location = answer.header(LOCATION.as_str());
        let id = location.and_then(|path| path.rsplit('/').next());
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Err(call.unreadable("the answer names no request".into()));
        };
        Ok(Stored {
            request_id: id.to_owned(),
            idempotency_key: key,
            replayed: answer.header("idempotent-replayed") == Some("true"),
            item: reply.data,
        })
    }
}
