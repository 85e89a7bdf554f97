//! Reads with few and with many rows.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::Plan;
use super::fill::{ITEM, LARGE_DEALER, OTHER_DEALERS, fill, id_of, id_of_text};
use super::http::Requests;
use super::pairs::{Pairs, Side, run_pgbench, run_service, sides, warm_up};
use super::pgbench::Script;
use super::process::Copy;
use super::report::{Bound, Must, Report, Row};
use super::stage::Stage;
use super::statistics::{Spread, number};

/// How many rows are few.
const FEW: u32 = 10_000;

const FEW_ROWS: &str = "reads_few";
const MANY_ROWS: &str = "reads_many";

/// Connections for reads by id.
const READERS: usize = 16;

/// How many different ids are asked for.
const IDS: usize = 50_000;

/// How many pages of 100 the cursor is moved before its page is measured.
const PAGES: usize = 20;

pub(super) async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    for (database, rows) in [(FEW_ROWS, FEW), (MANY_ROWS, plan.rows)] {
        stage.progress.say(format!("reads: {rows} rows"));
        let began = stage.progress.seconds();
        stage.installation(database, OTHER_DEALERS + 1).await?;
        fill(stage, database, rows).await?;
        let seconds = stage.progress.seconds() - began;
        report.notes.push(format!(
            "Filling {} rows took {} s.",
            number(rows.into()),
            number(seconds)
        ));
    }
    let few = stage.serve(FEW_ROWS, &[]).await?;
    let many = stage.serve(MANY_ROWS, &[]).await?;
    let mut pages = Page::all(Cursor::find(&few, &many).await?);
    for copy in [&few, &many] {
        warm_up(copy, &Arc::new(Requests::reads([list()]))).await?;
    }
    pages.extend(Page::by_number(&few, &many).await?);
    let mut reads = Reads {
        stage,
        plan,
        few,
        many,
    };
    reads.by_id(report).await?;
    for page in pages {
        reads.page(&page, report).await?;
    }
    stage.note_memory(&reads.few);
    stage.note_memory(&reads.many);
    Ok(())
}

/// Where a page in the middle begins, in the query of each copy.
struct Cursor {
    few: String,
    many: String,
    name: &'static str,
}

impl Cursor {
    async fn find(few: &Copy, many: &Copy) -> anyhow::Result<Self> {
        let pages = (query_after(few).await?, query_after(many).await?);
        Ok(match pages {
            (Some(few), Some(many)) => Self {
                few,
                many,
                name: "list, page by cursor behind 2,000 rows",
            },
            _ => {
                let page = format!("page={}", PAGES * 10 + 1);
                Self {
                    few: page.clone(),
                    many: page,
                    name: "list, page by number behind 2,000 rows (this build has no cursors)",
                }
            }
        })
    }
}

/// Follows the list; `None` where there are no cursors.
async fn query_after(copy: &Copy) -> anyhow::Result<Option<String>> {
    let client = copy.client();
    let mut query = "page_size=100".to_owned();
    for _ in 0..PAGES {
        let reply = client.get(&format!("{}?{query}", list())).await?;
        ensure!(reply.status == 200, "no list: {}", reply.text);
        let data = &reply.json()["data"];
        let Some(cursor) = data.get("next_cursor") else {
            return Ok(None);
        };
        let cursor = cursor.as_str().context("the list ends too soon")?;
        query = format!("page_size=100&cursor={cursor}");
    }
    Ok(Some(query.replace("page_size=100&", "")))
}

fn list() -> String {
    format!("/api/v1/customer/dealer/{LARGE_DEALER}/requests")
}

/// How many pages of ten a list has.
async fn pages_of(copy: &Copy, filter: &str) -> anyhow::Result<u64> {
    let reply = copy.client().get(&format!("{}?{filter}", list())).await?;
    ensure!(reply.status == 200, "no list: {}", reply.text);
    let pages = reply.json()["data"]["total_pages"].as_u64();
    pages.context("a list says how many pages it has")
}

/// A read whose time must not grow with the rows.
struct Page {
    name: &'static str,
    few: String,
    many: String,
    /// The same for pgbench, with many rows.
    sql: String,
}

impl Page {
    fn all(cursor: Cursor) -> Vec<Self> {
        let (order, of_dealer) = (ORDER, of_dealer());
        let stats = format!("/api/v1/customer/dealer/{LARGE_DEALER}/stats");
        vec![
            Self {
                name: "list, first page",
                few: format!("{}?page_size=10", list()),
                many: format!("{}?page_size=10", list()),
                sql: format!("SELECT {ITEM} {of_dealer} {order};"),
            },
            Self {
                name: cursor.name,
                few: format!("{}?page_size=10&{}", list(), cursor.few),
                many: format!("{}?page_size=10&{}", list(), cursor.many),
                sql: format!(
                    "SELECT {ITEM} {of_dealer} AND (request_date, request_time, id) < \
                     ('2026-05-22', '12:00:00', '{}') {order};",
                    id_of_text(0)
                ),
            },
            Self {
                name: "statistics",
                few: stats.clone(),
                many: stats,
                sql: format!(
                    "SELECT request_status, whatsapp_status, count(*) {of_dealer} \
                     GROUP BY request_status, whatsapp_status;"
                ),
            },
        ]
    }

    /// Pages by number, as far down as there are any.
    async fn by_number(few: &Copy, many: &Copy) -> anyhow::Result<Vec<Self>> {
        let mut pages = Vec::new();
        for (name, part, filter, sql) in [
            ("list, page in the middle", 2, "", ""),
            ("list, last page", 1, "", ""),
            (
                "list, last page within a range of dates",
                1,
                "date_from=2026-05-01&date_to=2026-07-31",
                "AND request_date BETWEEN '2026-05-01' AND '2026-07-31'",
            ),
            (
                "list, last page of one status",
                1,
                "whatsapp_status=READ",
                "AND whatsapp_status = 'READ'",
            ),
        ] {
            let (of_few, of_many) = (pages_of(few, filter).await?, pages_of(many, filter).await?);
            let path = |pages: u64| {
                let page = pages.div_ceil(part);
                format!("{}?page_size=10&page={page}&{filter}", list())
            };
            let skipped = 10 * of_many.div_ceil(part).saturating_sub(1);
            pages.push(Self {
                name,
                few: path(of_few),
                many: path(of_many),
                sql: format!(
                    "SELECT {ITEM} {} {sql} {ORDER} OFFSET {skipped};",
                    of_dealer()
                ),
            });
        }
        Ok(pages)
    }
}

/// The order of lists, and a page of them.
const ORDER: &str = "ORDER BY request_date DESC, request_time DESC, id DESC LIMIT 10";

fn of_dealer() -> String {
    format!("FROM customer.customer_validation_request WHERE dealer_id = '{LARGE_DEALER}'")
}

struct Reads<'a> {
    stage: &'a Stage,
    plan: &'a Plan,
    few: Copy,
    many: Copy,
}

impl Reads<'_> {
    async fn by_id(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let rows = self.plan.rows;
        let mut dice = StdRng::seed_from_u64(1);
        let ids = (0..IDS).map(|_| id_of_text(dice.random_range(1..=rows)));
        let paths = ids.map(|id| format!("/api/v1/customer/request/{id}"));
        let requests = Arc::new(Requests::reads(paths));
        let sql = format!(
            "\\set n random(1, {rows})\nSELECT {ITEM} FROM customer.customer_validation_request WHERE id = {};\n",
            id_of(":n::int")
        );
        let mut pairs = Pairs::default();
        for round in 1..=self.plan.rounds {
            for side in sides(round) {
                let (rate, usage) = match side {
                    Side::Service => {
                        let copies = [&self.many];
                        let (load, usage) =
                            run_service(self.stage, &copies, READERS, self.plan.run, &requests)
                                .await?;
                        report.count_errors(&load);
                        (load.rate(), usage)
                    }
                    Side::Pgbench => {
                        let script = self.script(&sql, READERS, self.plan.run);
                        let (outcome, usage) = run_pgbench(self.stage, &script).await?;
                        (outcome.rate, usage)
                    }
                };
                pairs.add(side, rate, usage);
                self.stage.progress.say(format!(
                    "reads by id, round {round} of {}, {side:?}: {} a second",
                    self.plan.rounds,
                    number(rate)
                ));
            }
        }
        let ratio = pairs.ratio_of_rates();
        let name = format!(
            "read by id, {} rows, {READERS} connections; select by primary key",
            number(rows.into())
        );
        report.rows.push(Row {
            must: Must::new("ratio", ratio, Bound::AtLeast(0.5)),
            ..pairs.row(&name, "1/s", ratio)
        });
        Ok(())
    }

    /// The time of one read at a time.
    async fn page(&mut self, page: &Page, report: &mut Report) -> anyhow::Result<()> {
        let mut few = Vec::new();
        let mut many = Pairs::default();
        for round in 1..=self.plan.rounds {
            few.push(self.time(&self.few, &page.few, report).await?);
            for side in sides(round) {
                let milliseconds = match side {
                    Side::Service => self.time(&self.many, &page.many, report).await?,
                    Side::Pgbench => {
                        let script = self.script(&page.sql, 1, self.plan.look);
                        run_pgbench(self.stage, &script).await?.0.latency_ms
                    }
                };
                many.add(side, milliseconds, None);
            }
            self.stage.progress.say(format!(
                "{}, round {round} of {}: {} ms with few rows, {} ms with many",
                page.name,
                self.plan.rounds,
                number(few[few.len() - 1]),
                number(many.service[many.service.len() - 1]),
            ));
        }
        report.rows.push(Row {
            name: format!("{}, {} rows", page.name, number(FEW.into())),
            unit: "ms",
            service: Spread::of(&few),
            ..Row::default()
        });
        let growth = Spread::of_quotients(&many.service, &few);
        let name = format!(
            "{}, {} rows; one client with the plain SQL",
            page.name,
            number(self.plan.rows.into())
        );
        report.rows.push(Row {
            must: Must::new("time with many rows / with few", growth, Bound::AtMost(2.0)),
            ..many.row(&name, "ms", many.ratio_of_times())
        });
        Ok(())
    }

    async fn time(&self, copy: &Copy, path: &str, report: &mut Report) -> anyhow::Result<f64> {
        let requests = Arc::new(Requests::reads([path.to_owned()]));
        let (load, _) = run_service(self.stage, &[copy], 1, self.plan.look, &requests).await?;
        report.count_errors(&load);
        Ok(1_000.0 / load.rate())
    }

    fn script<'s>(&self, sql: &'s str, clients: usize, time: Duration) -> Script<'s> {
        Script {
            database: MANY_ROWS,
            sql,
            clients,
            rate: None,
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_postgresql_reads_them() {
        assert_eq!(id_of_text(255), "00000000-0000-0000-0000-0000000000ff");
    }
}
