//! Submits one customer and waits until the message is on its way.
//!
//! ```text
//! cargo run -p customer-service-client --example submit -- http://127.0.0.1:8300 0009999 [API-KEY]
//! ```

use std::time::Duration;

use customer_service_client::types::SubmissionBody;
use customer_service_client::{Client, Error};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base), Some(dealer)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: submit ADDRESS DEALER [API-KEY]");
    };
    let mut builder = Client::builder(&base);
    if let Some(key) = arguments.next() {
        builder = builder.api_key(&key);
    }
    let client = builder.build()?;

    let body = SubmissionBody {
        dealer_id: dealer,
        ..SubmissionBody::example()
    };
    let stored = match client.validate_customer(&body).await {
        Ok(stored) => stored,
        // Mend what is told, field by field.
        Err(Error::Invalid(faults)) => anyhow::bail!("{faults}"),
        // Keep the key: the same call with it may be made again, and is done once.
        Err(Error::Unknown {
            idempotency_key: Some(key),
            ..
        }) => anyhow::bail!("not known yet: go on with the key {}", key.as_str()),
        Err(error) => return Err(error.into()),
    };
    println!("stored as {}", stored.request_id);

    loop {
        let messages = client.list_request_messages(&stored.request_id).await?;
        let Some(message) = messages.last() else {
            anyhow::bail!("the request has no message");
        };
        if !matches!(&*message.state, "QUEUED" | "SENDING") {
            println!("its message is {}", message.state);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
