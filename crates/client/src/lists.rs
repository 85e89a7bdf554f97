//! Lists of any length, a page at a time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use api_types::{
    AuditItem, AuditQuery, DealerItem, ExportBody, ExportData, ExportQuery, Item, ListQuery,
    MAX_PAGE_SIZE, OptOutItem, PageQuery, ReplyItem, ReplyListQuery,
};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use crate::client::Client;
use crate::error::Error;

/// How many entries are asked for at once; no more of them are ever in memory.
const PAGE: u32 = MAX_PAGE_SIZE as u32;

/// Entries of a list, in its order. Ends after the first error.
pub struct Items<T>(BoxStream<'static, Result<T, Error>>);

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

impl<T> Items<T> {
    pub(crate) fn new(stream: impl Stream<Item = Result<T, Error>> + Send + 'static) -> Self {
        Self(stream.boxed())
    }

    /// The next entry; none at the end.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.0.next().await
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// A page, and where the next one begins.
type Page<T, C> = Result<(Vec<T>, Option<C>), Error>;

/// All entries of all pages.
fn pages<T, C, F>(page: impl Fn(Option<C>) -> F + Send + 'static) -> Items<T>
where
    T: Send + 'static,
    C: Send + 'static,
    F: Future<Output = Page<T, C>> + Send + 'static,
{
    let pages = stream::try_unfold(Some(None), move |at| {
        let asking = at.map(&page);
        async move {
            let Some(asking) = asking else {
                return Ok(None);
            };
            let (items, next) = asking.await?;
            Ok(Some((
                stream::iter(items.into_iter().map(Ok)),
                next.map(Some),
            )))
        }
    });
    Items::new(pages.try_flatten())
}

impl Client {
    /// All requests of a dealer that fit, newest first. Requests that come meanwhile are not among them.
    pub fn dealer_requests(&self, dealer_id: &str, filter: &ExportQuery) -> Items<Item> {
        let (client, dealer, filter) = (self.clone(), dealer_id.to_owned(), filter.clone());
        pages(move |cursor| {
            let (client, dealer) = (client.clone(), dealer.clone());
            let query = ListQuery {
                page: page_query(None),
                filter: filter.clone(),
                cursor,
            };
            async move {
                let page = client.list_dealer_requests(&dealer, &query).await?;
                Ok((page.items, page.next_cursor))
            }
        })
    }

    /// All that customers wrote back to a dealer, newest first.
    pub fn dealer_replies(&self, dealer_id: &str) -> Items<ReplyItem> {
        let (client, dealer) = (self.clone(), dealer_id.to_owned());
        pages(move |cursor| {
            let (client, dealer) = (client.clone(), dealer.clone());
            async move {
                let page = client
                    .list_dealer_replies(&dealer, &reply_query(cursor))
                    .await?;
                Ok((page.items, page.next_cursor))
            }
        })
    }

    /// All that a customer wrote back about a request, newest first.
    pub fn request_replies(&self, request_id: &str) -> Items<ReplyItem> {
        let (client, request) = (self.clone(), request_id.to_owned());
        pages(move |cursor| {
            let (client, request) = (client.clone(), request.clone());
            async move {
                let page = client
                    .list_request_replies(&request, &reply_query(cursor))
                    .await?;
                Ok((page.items, page.next_cursor))
            }
        })
    }

    /// All phones that get no messages of a dealer, newest first.
    pub fn dealer_opt_outs(&self, dealer_id: &str) -> Items<OptOutItem> {
        let (client, dealer) = (self.clone(), dealer_id.to_owned());
        pages(move |cursor| {
            let (client, dealer) = (client.clone(), dealer.clone());
            async move {
                let page = client
                    .list_dealer_opt_outs(&dealer, &reply_query(cursor))
                    .await?;
                Ok((page.items, page.next_cursor))
            }
        })
    }

    /// All dealers, by number.
    pub fn dealers(&self) -> Items<DealerItem> {
        let client = self.clone();
        pages(move |number: Option<u64>| {
            let client = client.clone();
            let number = number.unwrap_or(1);
            async move {
                let page = client.list_dealers(&page_query(Some(number))).await?;
                let more = (number < page.total_pages).then_some(number + 1);
                Ok((page.items, more))
            }
        })
    }

    /// The whole audit, newest first.
    pub fn audit(&self) -> Items<AuditItem> {
        let client = self.clone();
        pages(move |cursor| {
            let client = client.clone();
            let query = AuditQuery {
                page_size: Some(PAGE),
                cursor,
            };
            async move {
                let page = client.list_audit(&query).await?;
                Ok((page.items, page.next_cursor))
            }
        })
    }

    /// All that is stored about a person, by pages: the first one holds replies and opt-outs.
    pub fn person(&self, phone: &str) -> Items<ExportData> {
        let (client, phone) = (self.clone(), phone.to_owned());
        pages(move |cursor| {
            let client = client.clone();
            let body = ExportBody {
                phone: phone.clone(),
                cursor,
            };
            async move {
                let page = client.export_person(&body).await?;
                let next = page.next_cursor.clone();
                Ok((vec![page], next))
            }
        })
    }
}

fn page_query(page: Option<u64>) -> PageQuery {
    PageQuery {
        page,
        page_size: Some(PAGE),
    }
}

fn reply_query(cursor: Option<String>) -> ReplyListQuery {
    ReplyListQuery {
        page_size: Some(PAGE),
        cursor,
    }
}
