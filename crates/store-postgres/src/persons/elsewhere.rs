//! What stands about a person in rows about somebody or something else.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use domain::{Person, Phone, impersonal_call};

use super::sql;
use crate::connection::statement::Statement;
use crate::connection::{StoreResult, failed};
use crate::store::PgStore;

/// Whose customer a person is.
#[derive(Default)]
struct Known {
    dealers: Vec<String>,
    requests: Vec<String>,
    /// By phone, names and plates.
    person: Person,
}

impl PgStore {
    /// Takes a person out of why lanes are blocked, of the audit and of names of keys, and forgets what
    /// callers called submissions by the phone. Each statement is a transaction; repeating them is
    /// harmless. To be done before the person's own rows are erased, which tell where to look.
    pub(crate) async fn erase_elsewhere(&self, phone: &Phone) -> StoreResult<()> {
        let known = self.known(phone).await?;
        let subscriber = &phone.national()[1..];
        let by_phone = Person::default().with_phone(phone.national());
        if !known.dealers.is_empty() {
            self.erase_block_reasons(&known).await?;
            let statement = Statement::new(sql::FORGET_KEYS)
                .with::<Array<Text>, _>("varchar[] AS dealers", &known.dealers)
                .with::<Text, _>("text AS subscriber", subscriber);
            self.execute(statement).await?;
        }
        self.erase_audit(&known, subscriber, &by_phone).await?;
        self.erase_key_names(subscriber, &by_phone).await
    }

    async fn known(&self, phone: &Phone) -> StoreResult<Known> {
        let statement =
            Statement::new(sql::KNOWN).with::<Text, _>("varchar AS phone", phone.national());
        let rows: Vec<KnownRow> = self.load(statement).await?;
        let (mut dealers, mut requests) = (HashSet::new(), HashSet::new());
        let mut person = Person::default().with_phone(phone.national());
        for row in rows {
            person = person
                .with_name(row.name.as_deref().unwrap_or_default())
                .with_plate(row.plate.as_deref().unwrap_or_default());
            dealers.insert(row.dealer_id);
            requests.insert(row.id);
        }
        Ok(Known {
            dealers: dealers.into_iter().collect(),
            requests: requests.into_iter().collect(),
            person,
        })
    }

    async fn erase_block_reasons(&self, known: &Known) -> StoreResult<()> {
        let statement = Statement::new(sql::BLOCK_REASONS)
            .with::<Array<Text>, _>("varchar[] AS dealers", &known.dealers);
        let lanes: Vec<LaneRow> = self.load(statement).await?;
        for lane in lanes {
            let reason = known.person.erased_from_words(&lane.reason);
            if reason == lane.reason {
                continue;
            }
            let statement = Statement::new(sql::CHANGE_BLOCK_REASON)
                .with::<Text, _>("varchar AS dealer_id", lane.dealer_id)
                .with::<Text, _>("text AS was", lane.reason)
                .with::<Text, _>("text AS reason", reason);
            self.execute(statement).await?;
        }
        Ok(())
    }

    async fn erase_audit(
        &self,
        known: &Known,
        subscriber: &str,
        by_phone: &Person,
    ) -> StoreResult<()> {
        let statement = Statement::new(sql::AUDIT_LINES)
            .with::<Array<Text>, _>("varchar[] AS dealers", &known.dealers)
            .with::<Array<Text>, _>("text[] AS requests", &known.requests)
            .with::<Text, _>("text AS subscriber", subscriber);
        let lines: Vec<LineRow> = self.load(statement).await?;
        for line in lines {
            let call = line.request_id.as_deref();
            let kept = call.filter(|call| !line.theirs || impersonal_call(call).is_some());
            let kept = kept.map(|call| by_phone.erased_from(call));
            let actor = by_phone.erased_from(&line.actor);
            let detail = by_phone.erased_from(&line.detail);
            if (&*actor, kept.as_deref(), &*detail) == (&*line.actor, call, &*line.detail) {
                continue;
            }
            let statement = Statement::new(sql::CHANGE_AUDIT_LINE)
                .with::<BigInt, _>("bigint AS id", line.id)
                .with::<Text, _>("text AS actor", actor)
                .with::<Nullable<Text>, _>("text AS request_id", kept)
                .with::<Text, _>("text AS detail", detail);
            self.execute(statement).await?;
        }
        Ok(())
    }

    async fn erase_key_names(&self, subscriber: &str, by_phone: &Person) -> StoreResult<()> {
        let statement =
            Statement::new(sql::KEY_NAMES).with::<Text, _>("text AS subscriber", subscriber);
        let keys: Vec<KeyRow> = self.load(statement).await?;
        for key in keys {
            let statement = Statement::new(sql::CHANGE_KEY_NAME)
                .with::<Text, _>("text AS id", key.id)
                .with::<Text, _>("text AS name", by_phone.erased_from(&key.name));
            self.execute(statement).await?;
        }
        Ok(())
    }

    async fn load<R>(&self, statement: Statement<'_>) -> StoreResult<Vec<R>>
    where
        R: QueryableByName<diesel::pg::Pg> + Send + 'static,
    {
        self.database
            .ask(|mut connection| async move {
                statement.load(&mut connection).await.map_err(failed)
            })
            .await
    }

    async fn execute(&self, statement: Statement<'_>) -> StoreResult<()> {
        self.database
            .ask(|mut connection| async move {
                statement.execute(&mut connection).await.map_err(failed)?;
                Ok(())
            })
            .await
    }
}

#[derive(QueryableByName)]
struct KnownRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    dealer_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plate: Option<String>,
}

#[derive(QueryableByName)]
struct LaneRow {
    #[diesel(sql_type = Text)]
    dealer_id: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Text)]
    detail: String,
    /// It is about a request of theirs.
    #[diesel(sql_type = Bool)]
    theirs: bool,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
}
