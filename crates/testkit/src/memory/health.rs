use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ports::{Backlog, Check, Health};
use domain::requests::MessageState;

use super::MemoryStore;
use super::state::between;

/// Memory is always available.
#[async_trait]
impl Health for MemoryStore {
    async fn checks(&self) -> Vec<Check> {
        let check = |name, finding: &str| Check {
            name,
            finding: finding.to_owned(),
            passed: true,
        };
        vec![
            check("database", "healthy"),
            check("database_schema", "customer"),
        ]
    }

    async fn backlog(&self) -> Option<Vec<Backlog>> {
        let now = self.now();
        let state = self.state();
        let unfinished = [
            MessageState::Queued,
            MessageState::Sending,
            MessageState::Unknown,
        ];
        let backlog = unfinished.map(|unfinished| {
            let due: Vec<DateTime<Utc>> = state
                .messages
                .values()
                .filter(|message| message.state == unfinished)
                .map(|message| message.due)
                .collect();
            let oldest = due.iter().filter(|due| **due <= now).min();
            Backlog {
                state: unfinished,
                messages: due.len() as u64,
                oldest_past_due: oldest.map(|due| between(*due, now)),
            }
        });
        Some(backlog.into())
    }
}
