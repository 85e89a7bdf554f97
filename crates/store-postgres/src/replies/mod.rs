//! What customers write back, and who wants no messages any more.

pub(crate) mod opt_out_check;
pub(crate) mod print_keys;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::access::AuditEntry;
use domain::ports::{Confirmations, OptOuts, OptedOut, Replies, RepliesOf, StoreError};
use domain::replies::{
    Confirmation, IncomingReply, ListCursor, OptOut, OptOutOrigin, Reply, Wish, opted_out,
};
use domain::requests::{CHANGED_BY, MessageState, RequestId};
use domain::values::{DealerId, Phone};
use uuid::Uuid;

use self::opt_out_check::OptOutCheck;
use crate::connection::StoreResult;
use crate::lanes::queue::LaneStateRow;
use crate::lanes::rows::{CountRow, dealer, readable, storable};
use crate::operations::audit::with_entry;
use crate::schema::{opt_out, opt_out_confirmation, reply};
use crate::sql::{self, File, Statement, sql_row};
use crate::store::PgStore;

/// A place behind all others.
const END: i64 = i64::MAX;

#[async_trait]
impl Replies for PgStore {
    async fn replies(
        &self,
        of: &RepliesOf,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<Reply>, StoreError> {
        let newest = reply::table
            .filter(reply::place.lt(after.map_or(END, |ListCursor(place)| place)))
            .order(reply::place.desc())
            .limit(limit.into())
            .select(ReplyRow::as_select());
        let rows: Vec<ReplyRow> = match of {
            RepliesOf::Dealer(dealer) => {
                let newest = newest.filter(reply::dealer_id.eq(dealer.as_str()));
                self.database.all(newest).await?
            }
            RepliesOf::Request(request) => {
                let newest = newest.filter(reply::request_id.eq(request.0));
                self.database.all(newest).await?
            }
        };
        rows.into_iter().map(Reply::try_from).collect()
    }
}

#[async_trait]
impl OptOuts for PgStore {
    async fn is_opted_out(&self, dealer: &DealerId, phone: &Phone) -> Result<bool, StoreError> {
        let asked = OptOutCheck {
            dealer: dealer.clone(),
            phone: phone.clone(),
            print_keys: self.print_keys().await?.to_vec(),
        };
        self.opt_out_checks.write(asked).await
    }

    async fn opt_outs(
        &self,
        dealer: &DealerId,
        after: Option<ListCursor>,
        limit: u32,
    ) -> Result<Vec<OptOut>, StoreError> {
        let newest = opt_out::table
            .filter(opt_out::dealer_id.eq(dealer.as_str()))
            .filter(opt_out::opted_out)
            .filter(opt_out::place.lt(after.map_or(END, |ListCursor(place)| place)))
            .order(opt_out::place.desc())
            .limit(limit.into())
            .select(OptOutRow::as_select());
        let rows: Vec<OptOutRow> = self.database.all(newest).await?;
        rows.into_iter().map(OptOut::try_from).collect()
    }

    async fn opt_out(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        note: Option<String>,
        entry: &AuditEntry,
    ) -> Result<OptedOut, StoreError> {
        let statement = Statement::new(sql::OptOut)
            .bind("dealer_id", dealer.as_str())
            .bind("phone", phone.national())
            .bind("note", note.as_deref());
        let statement = with_entry(self.with_change(statement).await?, entry);
        let row: OptedOutRow = self.database.one(statement).await?;
        let is_new = row.is_new;
        let record = OptOut::try_from(row)?;
        Ok(match is_new {
            true => OptedOut::Now(record),
            false => OptedOut::Before(record),
        })
    }

    async fn opt_in(
        &self,
        dealer: &DealerId,
        phone: &Phone,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::OptIn)
            .bind("dealer_id", dealer.as_str())
            .bind("phone", phone.national());
        let statement = with_entry(self.with_change(statement).await?, entry);
        let row: CountRow = self.database.one(statement).await?;
        Ok(row.rows > 0)
    }
}

#[async_trait]
impl Confirmations for PgStore {
    async fn due(&self, limit: u32) -> Result<Vec<Confirmation>, StoreError> {
        let statement = Statement::new(sql::DueConfirmations).bind("most", i64::from(limit));
        let rows: Vec<ConfirmationRow> = self.database.all(statement).await?;
        let due = rows.into_iter().map(Confirmation::try_from);
        Ok(due.filter_map(readable).collect())
    }

    async fn take(&self, confirmation: &Confirmation, epoch: i64) -> Result<bool, StoreError> {
        let statement = Statement::new(sql::Take)
            .bind("dealer_id", confirmation.dealer.as_str())
            .bind("epoch", epoch)
            .bind("id", confirmation.id);
        let row: CountRow = self.database.one(statement).await?;
        Ok(row.rows > 0)
    }

    async fn remove(&self, id: i64) -> Result<(), StoreError> {
        let this = opt_out_confirmation::table.filter(opt_out_confirmation::id.eq(id));
        self.database.run(diesel::delete(this)).await.map(drop)
    }

    async fn put_off(&self, id: i64, wait: Duration, ages_after: bool) -> Result<(), StoreError> {
        let statement = Statement::new(sql::PutOff)
            .bind("wait_seconds", wait.as_secs_f64())
            .bind("ages_after", ages_after)
            .bind("id", id);
        self.database.run(statement).await.map(drop)
    }

    async fn put_back(&self, id: i64, epoch: i64, wait: Duration) -> Result<(), StoreError> {
        let statement = Statement::new(sql::PutBack)
            .bind("wait_seconds", wait.as_secs_f64())
            .bind("id", id)
            .bind("epoch", epoch);
        self.database.run(statement).await.map(drop)
    }
}

impl PgStore {
    /// Stores a reply, and does what it wants.
    pub(crate) async fn keep_reply(
        &self,
        dealer: &DealerId,
        reply: &IncomingReply,
    ) -> StoreResult<()> {
        let fingerprint = reply.fingerprint();
        let statement = Statement::new(sql::KeepReply)
            .bind("dealer_id", dealer.as_str())
            .bind("phone", reply.phone.national())
            .bind("name", reply.name.as_deref().map(storable))
            .bind("text", reply.text.as_deref().map(storable))
            .bind("print", &fingerprint[..])
            .bind("opted_out", reply.wish().map(|wish| wish == Wish::OptOut))
            .bind("said_at", reply.written_at)
            .bind("undated", reply.is_undated());
        let row: KeptRow = self
            .database
            .one(self.with_change(statement).await?)
            .await?;
        if row.turned > 0 {
            tracing::info!(
                dealer.id = dealer.as_str(),
                "a reply opts its sender out or in"
            );
        }
        Ok(())
    }

    /// Binds what `change_standing.sql` needs.
    async fn with_change<'a, F: File>(
        &'a self,
        statement: Statement<'a, F>,
    ) -> StoreResult<Statement<'a, F>> {
        let (request_status, whatsapp_status) = MessageState::Cancelled.version_1();
        Ok(statement
            .bind("print_keys", self.print_keys().await?)
            .bind("reason", opted_out(0))
            .bind("undecided_reason", opted_out(1))
            .bind("request_status", request_status.as_str())
            .bind("whatsapp_status", whatsapp_status.as_str())
            .bind("author", CHANGED_BY))
    }

    /// What a person wrote, and its opt-outs.
    pub(crate) async fn written_by(
        &self,
        phone: &Phone,
        most: i64,
    ) -> StoreResult<(Vec<Reply>, Vec<OptOut>)> {
        let replies = reply::table
            .filter(reply::phone.eq(phone.national()))
            .order(reply::place.desc())
            .limit(most)
            .select(ReplyRow::as_select());
        let replies: Vec<ReplyRow> = self.database.all(replies).await?;
        let opt_outs = opt_out::table
            .filter(opt_out::phone.eq(phone.national()))
            .filter(opt_out::opted_out)
            .order(opt_out::place.desc())
            .limit(most)
            .select(OptOutRow::as_select());
        let opt_outs: Vec<OptOutRow> = self.database.all(opt_outs).await?;
        Ok((
            replies
                .into_iter()
                .map(Reply::try_from)
                .collect::<Result<_, _>>()?,
            opt_outs
                .into_iter()
                .map(OptOut::try_from)
                .collect::<Result<_, _>>()?,
        ))
    }

    /// Removes replies of a person, at most so many, and hides its opt-outs.
    pub(crate) async fn erase_replies(&self, phone: &Phone, most: i64) -> StoreResult<u64> {
        let statement = Statement::new(sql::EraseReplies)
            .bind("phone", phone.national())
            .bind("most", most)
            .bind("print_keys", self.print_keys().await?);
        let row: CountRow = self.database.one(statement).await?;
        Ok(u64::try_from(row.rows).unwrap_or(0))
    }

    /// Removes replies that are older than so many days, at most so many.
    pub(crate) async fn forget_replies(&self, days: i32, most: i64) -> StoreResult<u64> {
        let statement = Statement::new(sql::ForgetReplies)
            .bind("days", days)
            .bind("most", most);
        let row: CountRow = self.database.one(statement).await?;
        Ok(u64::try_from(row.rows).unwrap_or(0))
    }
}

#[derive(QueryableByName)]
struct ConfirmationRow {
    #[diesel(embed)]
    told: ToldRow,
    #[diesel(embed)]
    lane: LaneStateRow,
}

sql_row! {
    struct ToldRow {
        id: i64,
        dealer_id: String,
        phone: String,
        opted_out: bool,
        due_at: DateTime<Utc>,
    }
}

impl TryFrom<ConfirmationRow> for Confirmation {
    type Error = StoreError;

    fn try_from(row: ConfirmationRow) -> Result<Self, StoreError> {
        let ConfirmationRow { told, lane } = row;
        let phone = Phone::parse(&told.phone);
        Ok(Self {
            id: told.id,
            dealer: dealer(&told.dealer_id)?,
            phone: phone.map_err(|error| StoreError::Corrupt(error.into()))?,
            wish: match told.opted_out {
                true => Wish::OptOut,
                false => Wish::OptIn,
            },
            due_at: told.due_at,
            lane: lane.try_into()?,
        })
    }
}

sql_row! {
    struct KeptRow {
        turned: i64,
    }
}

/// A row of `reply`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reply)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct ReplyRow {
    place: i64,
    id: Uuid,
    dealer_id: String,
    received_at: DateTime<Utc>,
    phone: String,
    name: Option<String>,
    text: Option<String>,
    request_id: Option<Uuid>,
}

impl TryFrom<ReplyRow> for Reply {
    type Error = StoreError;

    fn try_from(row: ReplyRow) -> Result<Self, StoreError> {
        Ok(Self {
            cursor: ListCursor(row.place),
            id: row.id,
            dealer: dealer(&row.dealer_id)?,
            at: row.received_at,
            phone: row.phone,
            name: row.name,
            text: row.text,
            request: row.request_id.map(RequestId),
        })
    }
}

/// A row of `opt_out`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = opt_out)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct OptOutRow {
    place: i64,
    dealer_id: String,
    phone: Option<String>,
    origin: String,
    note: Option<String>,
    changed_at: DateTime<Utc>,
}

sql_row! {
    struct OptedOutRow {
        place: i64,
        dealer_id: String,
        phone: Option<String>,
        origin: String,
        note: Option<String>,
        changed_at: DateTime<Utc>,
        is_new: bool,
    }
}

impl TryFrom<OptedOutRow> for OptOut {
    type Error = StoreError;

    fn try_from(row: OptedOutRow) -> Result<Self, StoreError> {
        Self::try_from(OptOutRow {
            place: row.place,
            dealer_id: row.dealer_id,
            phone: row.phone,
            origin: row.origin,
            note: row.note,
            changed_at: row.changed_at,
        })
    }
}

impl TryFrom<OptOutRow> for OptOut {
    type Error = StoreError;

    fn try_from(row: OptOutRow) -> Result<Self, StoreError> {
        let origin = OptOutOrigin::parse(&row.origin);
        let origin = origin.ok_or_else(|| StoreError::Corrupt("an unknown origin".into()))?;
        Ok(Self {
            cursor: ListCursor(row.place),
            dealer: dealer(&row.dealer_id)?,
            phone: row.phone,
            origin,
            note: row.note,
            at: row.changed_at,
        })
    }
}
