//! Pages of lists by cursor, as replies, opt-outs, endpoints and deliveries have them.

use api_types::ReplyListQuery;
use domain::replies::ListCursor;

use crate::http::QueryParameters;
use crate::problem::Problem;

/// Which part of a list is asked for.
pub(super) struct Page {
    size: usize,
    pub(super) after: Option<ListCursor>,
}

impl Page {
    pub(super) fn read(mut query: QueryParameters<ReplyListQuery>) -> Result<Self, Problem> {
        let size = usize::try_from(query.page_size()).unwrap_or(usize::MAX);
        let after = query.cursor("cursor", read_cursor);
        query.finish()?;
        Ok(Self { size, after })
    }

    /// One more than a page has tells whether there is another page.
    pub(super) fn limit(&self) -> u32 {
        u32::try_from(self.size + 1).unwrap_or(u32::MAX)
    }

    /// Leaves one page of what was found, and tells where the next one begins.
    pub(super) fn cut<T>(
        &self,
        found: &mut Vec<T>,
        cursor: impl Fn(&T) -> ListCursor,
    ) -> Option<String> {
        let more = found.len() > self.size;
        found.truncate(self.size);
        let last = found.last().filter(|_| more);
        last.map(|last| write_cursor(cursor(last)))
    }
}

fn write_cursor(ListCursor(place): ListCursor) -> String {
    format!("{place:x}")
}

fn read_cursor(raw: &str) -> Option<ListCursor> {
    let cursor = ListCursor(i64::from_str_radix(raw, 16).ok()?);
    (write_cursor(cursor) == raw && cursor.0 >= 0).then_some(cursor)
}

/// How many were found, as a sentence.
pub(super) fn found(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("Found 1 {one}"),
        count => format!("Found {count} {many}"),
    }
}
