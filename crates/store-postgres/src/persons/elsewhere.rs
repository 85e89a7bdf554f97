//! Personal data in rows about another person or thing.

use std::collections::HashSet;

use diesel::prelude::*;
use domain::persons::Person;
use domain::requests::impersonal_call;
use domain::values::Phone;
use uuid::Uuid;

use super::personal_data::BETWEEN_DIGITS;
use crate::connection::StoreResult;
use crate::schema::{api_key, audit, endpoint, event, lane, template, template_version};
use crate::sql::{self, File, Statement, sql_row};
use crate::store::PgStore;

/// How many reasons one statement reads (chosen).
const EVENTS_AT_ONCE: i64 = 1_000;

/// The dealers that have a person as their customer.
#[derive(Default)]
struct Known {
    dealers: Vec<String>,
    requests: Vec<String>,
    /// By phone, names and plates.
    person: Person,
}

impl PgStore {
    /// Takes a person out of why lanes are blocked, also where endpoints were told that, of the audit, of names of
    /// keys, of authors of templates and notes of endpoints, and forgets what callers called submissions by the
    /// phone. Each statement is a transaction; repeating them is
    /// harmless. To be done before the person's own rows are erased, which tell where to look.
    pub(crate) async fn erase_elsewhere(&self, phone: &Phone) -> StoreResult<()> {
        let known = self.known(phone).await?;
        let subscriber = &phone.national()[1..];
        let by_phone = Person::default().with_phone(phone.national());
        if !known.dealers.is_empty() {
            self.erase_block_reasons(&known).await?;
            self.erase_event_reasons(&known).await?;
            let statement = quoting(Statement::new(sql::ForgetKeysOf), subscriber)
                .bind("dealers", &known.dealers);
            self.database.run(statement).await?;
        }
        self.erase_audit(&known, subscriber, &by_phone).await?;
        self.erase_key_names(subscriber, &by_phone).await?;
        self.erase_template_authors(subscriber, &by_phone).await?;
        self.erase_endpoint_notes(&by_phone).await
    }

    async fn known(&self, phone: &Phone) -> StoreResult<Known> {
        let statement = Statement::new(sql::Known).bind("phone", phone.national());
        let rows: Vec<KnownRow> = self.database.all(statement).await?;
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
        let blocked = lane::table
            .filter(lane::dealer_id.eq_any(&known.dealers))
            .filter(lane::block_reason.is_not_null())
            .select((lane::dealer_id, lane::block_reason.assume_not_null()));
        let lanes: Vec<(String, String)> = self.database.all(blocked).await?;
        for (dealer, was) in &lanes {
            let reason = known.person.erased_from_words(was);
            if reason == *was {
                continue;
            }
            // Unless the lane is now blocked for another reason.
            let change = diesel::update(lane::table)
                .filter(lane::dealer_id.eq(dealer))
                .filter(lane::block_reason.eq(was))
                .set(lane::block_reason.eq(reason));
            self.database.run(change).await?;
        }
        Ok(())
    }

    /// What endpoints were told, or will be, in batches.
    async fn erase_event_reasons(&self, known: &Known) -> StoreResult<()> {
        let mut after = 0;
        loop {
            let told = event::table
                .filter(event::dealer_id.eq_any(&known.dealers))
                .filter(event::reason.is_not_null())
                .filter(event::place.gt(after))
                .order(event::place)
                .limit(EVENTS_AT_ONCE)
                .select((event::place, event::reason.assume_not_null()));
            let events: Vec<(i64, String)> = self.database.all(told).await?;
            let Some((last, _)) = events.last() else {
                return Ok(());
            };
            after = *last;
            for (place, was) in &events {
                let reason = known.person.erased_from_words(was);
                if reason != *was {
                    let change =
                        diesel::update(event::table.find(place)).set(event::reason.eq(reason));
                    self.database.run(change).await?;
                }
            }
        }
    }

    async fn erase_audit(
        &self,
        known: &Known,
        subscriber: &str,
        by_phone: &Person,
    ) -> StoreResult<()> {
        let statement = quoting(Statement::new(sql::AuditLines), subscriber)
            .bind("dealers", &known.dealers)
            .bind("requests", &known.requests);
        let lines: Vec<LineRow> = self.database.all(statement).await?;
        for line in lines {
            let call = line.request_id.as_deref();
            let kept = call.filter(|call| !line.theirs || impersonal_call(call).is_some());
            let kept = kept.map(|call| by_phone.erased_from(call));
            let actor = by_phone.erased_from(&line.actor);
            let detail = by_phone.erased_from(&line.detail);
            if (&*actor, kept.as_deref(), &*detail) == (&*line.actor, call, &*line.detail) {
                continue;
            }
            let change = diesel::update(audit::table.find(line.id)).set((
                audit::actor.eq(&*actor),
                audit::request_id.eq(kept.as_deref()),
                audit::detail.eq(&*detail),
            ));
            self.database.run(change).await?;
        }
        Ok(())
    }

    async fn erase_key_names(&self, subscriber: &str, by_phone: &Person) -> StoreResult<()> {
        let statement = quoting(Statement::new(sql::KeyNames), subscriber);
        let keys: Vec<KeyRow> = self.database.all(statement).await?;
        for key in keys {
            let name = by_phone.erased_from(&key.name);
            let change = diesel::update(api_key::table.find(key.id)).set(api_key::name.eq(&*name));
            self.database.run(change).await?;
        }
        Ok(())
    }

    async fn erase_template_authors(&self, subscriber: &str, by_phone: &Person) -> StoreResult<()> {
        let statement = quoting(Statement::new(sql::TemplateAuthors), subscriber);
        let authors: Vec<AuthorRow> = self.database.all(statement).await?;
        for AuthorRow { author } in authors {
            let kept = by_phone.erased_from(&author);
            let change = diesel::update(template::table)
                .filter(template::author.eq(&author))
                .set(template::author.eq(&*kept));
            self.database.run(change).await?;
            let change = diesel::update(template_version::table)
                .filter(template_version::author.eq(&author))
                .set(template_version::author.eq(&*kept));
            self.database.run(change).await?;
        }
        Ok(())
    }
}

impl PgStore {
    /// All notes are read: endpoints are few.
    async fn erase_endpoint_notes(&self, by_phone: &Person) -> StoreResult<()> {
        let noted = endpoint::table
            .filter(endpoint::note.is_not_null())
            .select((endpoint::id, endpoint::note.assume_not_null()));
        let notes: Vec<(Uuid, String)> = self.database.all(noted).await?;
        for (id, was) in &notes {
            let note = by_phone.erased_from(was);
            if *note != **was {
                let change =
                    diesel::update(endpoint::table.find(id)).set(endpoint::note.eq(&*note));
                self.database.run(change).await?;
            }
        }
        Ok(())
    }
}

/// Binds the digits of a phone, to be searched in texts.
fn quoting<'a, F: File>(statement: Statement<'a, F>, subscriber: &'a str) -> Statement<'a, F> {
    statement
        .bind("subscriber", subscriber)
        .bind("between", BETWEEN_DIGITS)
}

sql_row! {
    struct KnownRow {
        id: String,
        dealer_id: String,
        name: Option<String>,
        plate: Option<String>,
    }
}

sql_row! {
    struct LineRow {
        id: i64,
        actor: String,
        request_id: Option<String>,
        detail: String,
        /// Whether it is about one of the person's requests.
        theirs: bool,
    }
}

sql_row! {
    struct KeyRow {
        id: String,
        name: String,
    }
}

sql_row! {
    struct AuthorRow {
        author: String,
    }
}
