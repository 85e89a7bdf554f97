//! The statements that are `.sql` files, each beside its rows.
//!
//! A file is SQL nearly as `psql` reads it: `:name` is a bound value, `\ir part.sql` includes a part that
//! several statements share, and `\each LIST PATTERN` is the pattern for each column of a list that stands
//! beside its rows. A test prepares every file on the migrated database.

mod bound;
mod statement;

use std::sync::LazyLock;

pub(crate) use self::bound::{Bound, sql_row};
pub(crate) use self::statement::Statement;
use crate::dealers::rows;
use crate::requests::row;

/// Declares a type for each file: the key of its prepared statement in a connection.
macro_rules! files {
    ($($name:ident $path:literal)*) => {
        $(
            pub(crate) struct $name;

            impl File for $name {
                fn template() -> &'static Template {
                    static TEMPLATE: LazyLock<Template> =
                        LazyLock::new(|| Template::read(include_str!($path)));
                    &TEMPLATE
                }
            }
        )*

        /// All files with their paths.
        #[cfg(feature = "testing")]
        pub(crate) const ALL: &[(&str, fn() -> &'static Template)] =
            &[$(($path, <$name as File>::template)),*];
    };
}

files! {
    Claim "lanes/claim.sql"
    Settle "lanes/settle.sql"
    GiveBack "lanes/give_back.sql"
    NextDue "lanes/next_due.sql"
    Expire "lanes/expire.sql"
    BeginCall "lanes/begin_call.sql"
    Unblock "lanes/unblock.sql"
    EndRest "lanes/end_rest.sql"
    Queue "lanes/queue.sql"
    TakeDue "lanes/take_due.sql"
    KeepProfile "lanes/keep_profile.sql"
    Backlog "lanes/backlog.sql"
    Troubles "lanes/troubles.sql"
    Standing "lanes/standing.sql"
    ApplyMessages "events/apply_messages.sql"
    ApplyDevices "events/apply_devices.sql"
    TakeEvidence "events/take_evidence.sql"
    ForgetEvents "events/forget_events.sql"
    KeepReply "replies/keep_reply.sql"
    OptOut "replies/opt_out.sql"
    OptIn "replies/opt_in.sql"
    IsOptedOut "replies/is_opted_out.sql"
    DueConfirmations "replies/due_confirmations.sql"
    Take "replies/take.sql"
    PutOff "replies/put_off.sql"
    PutBack "replies/put_back.sql"
    EraseReplies "replies/erase_replies.sql"
    ForgetReplies "replies/forget_replies.sql"
    ListEndpoints "endpoints/list.sql"
    CreateEndpoint "endpoints/create.sql"
    ChangeEndpoint "endpoints/change.sql"
    RemoveEndpoint "endpoints/remove.sql"
    TestEndpoint "endpoints/test.sql"
    ListDeliveries "endpoints/deliveries.sql"
    RetryDelivery "endpoints/retry.sql"
    TakeDeliveries "endpoints/take.sql"
    SettleDelivery "endpoints/settle.sql"
    GiveEndpointBack "endpoints/give_back.sql"
    NextDelivery "endpoints/next_due.sql"
    ForgetDeliveries "endpoints/forget.sql"
    Accept "requests/accept.sql"
    AcceptOnce "requests/accept_once.sql"
    KeyUses "requests/key_uses.sql"
    Find "requests/find.sql"
    ForgetKeys "requests/forget_keys.sql"
    Timeline "requests/timeline.sql"
    Resend "requests/resend.sql"
    Cancel "requests/cancel.sql"
    Page "requests/page.sql"
    FilteredPage "requests/filtered_page.sql"
    Search "requests/search.sql"
    Newest "requests/newest.sql"
    CountFound "requests/count_found.sql"
    Count "requests/count.sql"
    Arrived "requests/arrivals.sql"
    AddUp "requests/add_up.sql"
    CompareCounts "requests/compare_counts.sql"
    CorrectCounts "requests/correct_counts.sql"
    Tallies "reports/tallies.sql"
    Told "reports/requests.sql"
    Seconds "reports/seconds.sql"
    Export "reports/export.sql"
    AddUpSeconds "reports/add_up_seconds.sql"
    CompareSeconds "reports/compare_seconds.sql"
    CorrectSeconds "reports/correct_seconds.sql"
    Known "persons/known.sql"
    RequestsOf "persons/requests_of.sql"
    MessagesOf "persons/messages_of.sql"
    LockMessages "persons/lock_messages.sql"
    LockOldMessages "persons/lock_old_messages.sql"
    EraseMessages "persons/erase_messages.sql"
    LockRequests "persons/lock_requests.sql"
    LockOldRequests "persons/lock_old_requests.sql"
    EraseRequests "persons/erase_requests.sql"
    EraseEvents "persons/erase_events.sql"
    EraseOldEvents "persons/erase_old_events.sql"
    AuditLines "persons/audit_lines.sql"
    TemplateAuthors "persons/template_authors.sql"
    KeyNames "persons/key_names.sql"
    ForgetKeysOf "persons/forget_keys_of.sql"
    DealerNumbers "dealers/numbers.sql"
    LockQuietHours "dealers/lock_quiet_hours.sql"
    ChangeSettings "dealers/change_settings.sql"
    KeepTokens "dealers/keep_tokens.sql"
    SaveTemplate "templates/save.sql"
    RemoveTemplate "templates/remove.sql"
    RecentRequests "templates/recent.sql"
    AddDealer "dealers/add.sql"
    SetDealerKey "dealers/set_key.sql"
    CreateKey "keys/create.sql"
    RevokeKey "keys/revoke.sql"
    BeginSession "keys/begin_session.sql"
    EndSession "keys/end_session.sql"
    Inspect "operations/inspect.sql"
    BeginTrial "operations/begin_trial.sql"
    Shortcomings "operations/shortcomings.sql"
}

/// The parts that `\ir` may include.
const PARTS: &[(&str, &str)] = &[
    ("open_dealers.sql", include_str!("lanes/open_dealers.sql")),
    ("close_breaker.sql", include_str!("lanes/close_breaker.sql")),
    ("lane_state.sql", include_str!("lanes/lane_state.sql")),
    ("mirror.sql", include_str!("requests/mirror.sql")),
    (
        "shown_message.sql",
        include_str!("requests/shown_message.sql"),
    ),
    ("columns.sql", include_str!("requests/columns.sql")),
    ("submitted.sql", include_str!("requests/submitted.sql")),
    ("store.sql", include_str!("requests/store.sql")),
    ("differences.sql", include_str!("requests/differences.sql")),
    ("of_statuses.sql", include_str!("requests/of_statuses.sql")),
    ("meant.sql", include_str!("requests/meant.sql")),
    (
        "filtered_days.sql",
        include_str!("requests/filtered_days.sql"),
    ),
    ("page_start.sql", include_str!("requests/page_start.sql")),
    (
        "dealers_asked.sql",
        include_str!("reports/dealers_asked.sql"),
    ),
    (
        "seconds_differences.sql",
        include_str!("reports/seconds_differences.sql"),
    ),
    (
        "opt_out_prints.sql",
        include_str!("replies/opt_out_prints.sql"),
    ),
    (
        "change_standing.sql",
        include_str!("replies/change_standing.sql"),
    ),
    ("waiting.sql", include_str!("endpoints/waiting.sql")),
    ("note.sql", include_str!("operations/note.sql")),
    ("of_phone.sql", include_str!("persons/of_phone.sql")),
    ("message_read.sql", include_str!("persons/message_read.sql")),
    ("request_read.sql", include_str!("persons/request_read.sql")),
];

/// A file of SQL.
pub(crate) trait File: 'static {
    /// Its text, read once.
    fn template() -> &'static Template;
}

/// A text with placeholders for values.
pub(crate) struct Template(Vec<Piece>);

enum Piece {
    Text(String),
    /// The first placeholder of a value. Later ones are `$n` in the text.
    Value(String),
}

impl Template {
    /// Reads a file without its comments.
    fn read(file: &str) -> Self {
        let mut template = Self(Vec::new());
        let mut text = String::new();
        template.read_lines(file, &mut text);
        template.0.push(Piece::Text(text));
        template
    }

    fn read_lines(&mut self, file: &str, text: &mut String) {
        for line in file.lines() {
            let line = line.split("--").next().unwrap_or_default().trim_end();
            if let Some(path) = line.trim_start().strip_prefix("\\ir ") {
                let name = path.rsplit('/').next().unwrap_or_default();
                let part = PARTS.iter().find(|(part, _)| *part == name);
                let (_, part) = part.unwrap_or_else(|| panic!("there is no part {name}"));
                self.read_lines(part, text);
            } else if let Some(each) = line.trim_start().strip_prefix("\\each ") {
                let (list, pattern) = each.split_once(' ').unwrap_or((each, "{column}"));
                let columns = listed(list).into_iter().map(|(column, sql_type)| {
                    pattern
                        .replace("{column}", column)
                        .replace("{type}", sql_type)
                });
                self.read_line(&columns.collect::<Vec<_>>().join(", "), text);
                text.push('\n');
            } else if !line.is_empty() {
                self.read_line(line, text);
                text.push('\n');
            }
        }
    }

    fn read_line(&mut self, mut line: &str, text: &mut String) {
        while let Some(at) = place(line) {
            text.push_str(&line[..at]);
            line = &line[at + 1..];
            let end = line.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            let (name, rest) = line.split_at(end.unwrap_or(line.len()));
            line = rest;
            let known = self.names().position(|known| known == name);
            match known {
                Some(known) => text.push_str(&format!("${}", known + 1)),
                None => {
                    self.0.push(Piece::Text(std::mem::take(text)));
                    self.0.push(Piece::Value(name.to_owned()));
                }
            }
        }
        text.push_str(line);
    }

    /// The names of the values, in the order of their numbers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text as PostgreSQL gets it.
    #[cfg(feature = "testing")]
    pub(crate) fn text(&self) -> String {
        let mut n = 0;
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(_) => {
                n += 1;
                format!("${n}")
            }
        });
        pieces.collect()
    }
}

/// The columns that `\each` lists in a statement, with the types that are told.
fn listed(name: &str) -> Vec<(&'static str, &'static str)> {
    let untyped = |columns: &[&'static str]| columns.iter().map(|column| (*column, "")).collect();
    match name {
        "submitted" => row::SUBMITTED
            .map(|(column, sql_type, _)| (column, sql_type))
            .to_vec(),
        "mentioning" => untyped(&row::MENTIONING),
        "exported" => untyped(&row::EXPORTED),
        "shown" => untyped(&[&row::EXPORTED[..], &["fonnte_response"]].concat()),
        "settings" => rows::SETTINGS.to_vec(),
        _ => panic!("there is no list {name}"),
    }
}

/// Where a `:name` begins that is neither a cast nor quoted.
fn place(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut is_quoted = false;
    (0..bytes.len()).find(|&at| {
        is_quoted ^= bytes[at] == b'\'';
        !is_quoted
            && bytes[at] == b':'
            && at.checked_sub(1).is_none_or(|before| bytes[before] != b':')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_number_and_comments_are_left_out() {
        let file = "-- :none\nSELECT :b::int, ':c', :a -- why\n\nWHERE :b = 1\n";
        let template = Template::read(file);
        assert_eq!(template.names().collect::<Vec<_>>(), ["b", "a"]);
        let [.., Piece::Text(rest)] = &template.0[..] else {
            panic!("it ends with text")
        };
        assert_eq!(rest, "\nWHERE $1 = 1\n");
    }
}
