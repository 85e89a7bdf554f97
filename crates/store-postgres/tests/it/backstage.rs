//! What tests do and see behind the store's back.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::dealers::Dealer;
use domain::delivery::OutcomeKind;
use domain::requests::{MessageId, MessageState, RequestId};
use domain::values::{DealerId, WebhookToken};
use store_postgres::testing::TestDatabase;
use store_postgres::{DatabaseUrl, PgStore, PoolOptions, SchemaName};
use testkit::contract::{Backstage, OldRow, StoredAttempt, StoredMessage};
use tokio_postgres::Client;

/// A store on this database. It waits longer for a connection than callers would, because the
/// machine may be busy and these tests are about something else.
pub(crate) fn store(database: &TestDatabase) -> PgStore {
    patient_store_at(database.url())
}

/// The same at another URL.
pub(crate) fn patient_store_at(url: &str) -> PgStore {
    let options = PoolOptions {
        wait: Duration::from_secs(30),
        ..PoolOptions::default()
    };
    store_with(url, &options)
}

/// A store on the database of that URL, as the service has it.
pub(crate) fn store_at(url: &str) -> PgStore {
    store_with(url, &PoolOptions::default())
}

pub(crate) fn store_with(url: &str, options: &PoolOptions) -> PgStore {
    let url = DatabaseUrl::parse(url).unwrap();
    let schema = SchemaName::parse("customer").unwrap();
    PgStore::new(&url, schema, options).unwrap()
}

/// A connection of its own.
pub(crate) struct PgBackstage(Client);

impl PgBackstage {
    pub(crate) async fn connect(database: &TestDatabase) -> Self {
        let client = database.connect().await;
        client
            .batch_execute("SET search_path TO customer")
            .await
            .unwrap();
        Self(client)
    }
}

#[async_trait]
impl Backstage for PgBackstage {
    async fn add_dealer(&self, dealer: &Dealer) {
        use secrecy::ExposeSecret as _;
        let key = dealer.api_key.as_ref().map(|key| key.expose_secret());
        self.0
            .execute(
                "INSERT INTO dealer_integration.dealers
                    (dealer_id, dealer_name, fonnte_api_key, fonnte_api_url, is_active, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6::text::timestamp, $7::text::timestamp)",
                &[
                    &dealer.id.as_str(),
                    &dealer.name,
                    &key,
                    &dealer.api_url,
                    &dealer.active,
                    &dealer.created_at.map(|at| at.to_string()),
                    &dealer.updated_at.map(|at| at.to_string()),
                ],
            )
            .await
            .unwrap();
    }

    async fn add_webhook(&self, dealer: &DealerId, token: &WebhookToken) {
        self.0
            .execute(
                "INSERT INTO dealer_webhook (dealer_id, token, token_print) VALUES ($1, $2, $3)",
                &[&dealer.as_str(), &token.as_str(), &&token.fingerprint()[..]],
            )
            .await
            .unwrap();
    }

    async fn pass(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        for statement in [
            "UPDATE lane SET ready_at = ready_at - make_interval(secs => $1),
                lease_until = lease_until - make_interval(secs => $1),
                rest_until = rest_until - make_interval(secs => $1),
                aging_from = aging_from - make_interval(secs => $1),
                last_sent_at = last_sent_at - make_interval(secs => $1),
                quota_at = quota_at - make_interval(secs => $1),
                profile_due_at = profile_due_at - make_interval(secs => $1),
                rest_ended_at = rest_ended_at - make_interval(secs => $1),
                blocked_since = blocked_since - make_interval(secs => $1)",
            "UPDATE message SET due_at = due_at - make_interval(secs => $1),
                next_try_at = next_try_at - make_interval(secs => $1),
                created_at = created_at - make_interval(secs => $1),
                sent_at = sent_at - make_interval(secs => $1),
                delivered_at = delivered_at - make_interval(secs => $1),
                read_at = read_at - make_interval(secs => $1),
                failed_at = failed_at - make_interval(secs => $1)",
            "UPDATE webhook_event SET received_at = received_at - make_interval(secs => $1),
                next_look_at = next_look_at - make_interval(secs => $1)",
            "UPDATE idempotency_key SET created_at = created_at - make_interval(secs => $1)",
            "UPDATE reply SET received_at = received_at - make_interval(secs => $1)",
            "UPDATE opt_out_confirmation SET due_at = due_at - make_interval(secs => $1),
                next_try_at = next_try_at - make_interval(secs => $1)",
            "UPDATE opt_out SET changed_at = changed_at - make_interval(secs => $1),
                said_at = said_at - make_interval(secs => $1)",
            "UPDATE endpoint SET created_at = created_at - make_interval(secs => $1),
                removed_at = removed_at - make_interval(secs => $1),
                disabled_at = disabled_at - make_interval(secs => $1),
                alive_at = alive_at - make_interval(secs => $1),
                leased_at = leased_at - make_interval(secs => $1),
                lease_until = lease_until - make_interval(secs => $1)",
            "UPDATE event SET created_at = created_at - make_interval(secs => $1)",
            "UPDATE event_delivery SET created_at = created_at - make_interval(secs => $1),
                due_at = due_at - make_interval(secs => $1),
                asked_at = asked_at - make_interval(secs => $1)",
            "UPDATE console_session SET ends_at = ends_at - make_interval(secs => $1)",
            "UPDATE api_key SET created_at = created_at - make_interval(secs => $1),
                expires_at = expires_at - make_interval(secs => $1),
                revoked_at = revoked_at - make_interval(secs => $1)",
        ] {
            self.0.execute(statement, &[&seconds]).await.unwrap();
        }
    }

    async fn pass_for_requests(&self, time: Duration) {
        self.pass(time).await;
        let statement = "UPDATE customer_validation_request SET
            last_modified_date = last_modified_date - make_interval(secs => $1)";
        let seconds = time.as_secs_f64();
        self.0.execute(statement, &[&seconds]).await.unwrap();
    }

    fn now(&self) -> DateTime<Utc> {
        // The tests' server runs on the same machine.
        Utc::now()
    }

    async fn message(&self, request: RequestId) -> Option<StoredMessage> {
        let row = self
            .0
            .query_opt(
                "SELECT id::text, state, unknowns, reason, provider_id, provider_request_id
                FROM message WHERE request_id = $1::text::uuid
                ORDER BY created_at DESC, id DESC LIMIT 1",
                &[&request.to_string()],
            )
            .await
            .unwrap()?;
        let unknowns: i32 = row.get("unknowns");
        Some(StoredMessage {
            id: MessageId(row.get::<_, String>("id").parse().unwrap()),
            state: MessageState::parse(row.get("state")).unwrap(),
            unknowns: unknowns.try_into().unwrap(),
            reason: row.get("reason"),
            provider_message_id: row.get("provider_id"),
            provider_request_id: row.get("provider_request_id"),
        })
    }

    async fn attempts(&self, request: RequestId) -> Vec<StoredAttempt> {
        let rows = self
            .0
            .query(
                "SELECT (a->>'epoch')::bigint AS epoch, a->>'outcome' AS outcome, a->>'detail' AS detail
                FROM message, jsonb_array_elements(attempts) WITH ORDINALITY AS x(a, n)
                WHERE request_id = $1::text::uuid ORDER BY n",
                &[&request.to_string()],
            )
            .await
            .unwrap();
        rows.iter()
            .map(|row| StoredAttempt {
                epoch: row.get("epoch"),
                outcome: outcome(row.get("outcome")),
                detail: row.get("detail"),
            })
            .collect()
    }

    async fn insert_old_row(&self, row: &OldRow) {
        self.0
            .execute(
                "INSERT INTO customer_validation_request
                    (id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
                     request_status, whatsapp_status, created_date, last_modified_date)
                VALUES ($1::text::uuid, $2, $3::text::date, $4::text::time, $5, $6, $7, $8, $9, $10, NULL, NULL)",
                &[
                    &row.id.to_string(),
                    &row.dealer_id.as_str(),
                    &row.requested.date().to_string(),
                    &row.requested.time().to_string(),
                    &row.customer_name,
                    &row.phone,
                    &row.unit_type,
                    &row.license_plate,
                    &row.request_status,
                    &row.whatsapp_status,
                ],
            )
            .await
            .unwrap();
    }

    async fn set_statuses(
        &self,
        request: RequestId,
        request_status: Option<&str>,
        whatsapp_status: Option<&str>,
    ) {
        self.0
            .execute(
                "UPDATE customer_validation_request SET request_status = $2, whatsapp_status = $3
                WHERE id = $1::text::uuid",
                &[&request.to_string(), &request_status, &whatsapp_status],
            )
            .await
            .unwrap();
    }

    async fn reports(&self) -> Vec<String> {
        let rows = self
            .0
            .query("SELECT body FROM webhook_event ORDER BY id", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn delete_row(&self, request: RequestId) {
        self.0
            .execute(
                "DELETE FROM customer_validation_request WHERE id = $1::text::uuid",
                &[&request.to_string()],
            )
            .await
            .unwrap();
    }
}

fn outcome(name: &str) -> OutcomeKind {
    [
        OutcomeKind::Accepted,
        OutcomeKind::Refused,
        OutcomeKind::Blocked,
        OutcomeKind::NotSent,
        OutcomeKind::Unknown,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == name)
    .unwrap()
}
