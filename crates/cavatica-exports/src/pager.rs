//! Lists, page by page.

use std::collections::HashSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::model::volume::VolumeListing;
use crate::model::wire::{Entry, Page};
use crate::transport::{Call, Client, Error, Fetched};

/// The largest page that the platform documents.
pub(crate) const MAX_PAGE: u32 = 100;

/// A page that can name the next one.
pub trait Paged: Send + 'static {
    /// The URL of the next page.
    fn next(&self) -> Option<&str>;
}

impl<T: Send + 'static> Paged for Page<T> {
    fn next(&self) -> Option<&str> {
        Page::next(self)
    }
}

impl Paged for VolumeListing {
    fn next(&self) -> Option<&str> {
        VolumeListing::next(self)
    }
}

/// Why a list can't be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A page could not be had.
    #[error(transparent)]
    Call(#[from] Error),
    /// A page names one as the next that was read before.
    #[error("the list never ends: a page names {link} as the next one, which was read before")]
    Endless {
        /// The link that came twice.
        link: String,
    },
}

/// A list, page by page. It ends where a page names no next one, even if pages before it were empty.
///
/// It is a [`Stream`] of pages. A future of [`next_page`](Self::next_page) that is dropped loses nothing: the request goes on
/// when the next one is awaited, so a `select!` may drop as many as it likes. Dropping the pager ends the request.
///
/// ```no_run
/// # async fn demo(client: cavatica_exports::transport::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use cavatica_exports::Pager;
/// use cavatica_exports::model::wire::Page;
/// use cavatica_exports::model::UnknownKeys;
/// use cavatica_exports::transport::Call;
///
/// // Any list of the API, with what one knows of its items.
/// let mut apps: Pager<Page<UnknownKeys>> = Pager::new(client, Call::get("/apps").query("limit", 100));
/// while let Some(page) = apps.next_page().await? {
///     println!("{} of {:?}", page.items.len(), apps.total());
/// }
/// # Ok(()) }
/// ```
pub struct Pager<P> {
    client: Client,
    next: Option<Next>,
    asking: Option<Asking<P>>,
    /// The links that were named so far.
    seen: HashSet<String>,
    total: Option<u64>,
    /// Said with every page, not with the first alone.
    advance_access: bool,
    read: Read<P>,
}

type Asking<P> = Pin<Box<dyn Future<Output = Result<Fetched<P>, Error>> + Send>>;
type Read<P> = Arc<dyn Fn(&str) -> serde_json::Result<P> + Send + Sync>;

#[derive(Debug)]
enum Next {
    First(Box<Call>),
    Link(String),
    /// A link that was named before.
    Circle(String),
}

impl<P: Paged> Pager<P> {
    /// The list that a call shows the first page of.
    pub fn new(client: Client, first: Call) -> Self
    where
        P: DeserializeOwned,
    {
        Pager::read_by(client, first, |text| serde_json::from_str(text))
    }

    /// As [`new`](Self::new), with another way to read a page.
    pub fn read_by(
        client: Client,
        first: Call,
        read: impl Fn(&str) -> serde_json::Result<P> + Send + Sync + 'static,
    ) -> Self {
        Pager {
            client,
            next: Some(Next::First(Box::new(first))),
            asking: None,
            seen: HashSet::new(),
            total: None,
            advance_access: false,
            read: Arc::new(read),
        }
    }

    /// Asks for every page as a feature in [advance access](Call::in_advance_access).
    #[must_use]
    pub fn in_advance_access(mut self) -> Self {
        self.advance_access = true;
        self
    }

    /// The next page, or `None` after the last. A page that could not be had can be asked for again.
    ///
    /// # Errors
    ///
    /// Those of the transport, among them a link to another origin, which is not followed; [`ListError::Endless`] after the
    /// pages of a list that leads in a circle.
    pub async fn next_page(&mut self) -> Result<Option<P>, ListError> {
        poll_fn(|context| self.poll_page(context)).await
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<P>, ListError>> {
        let asking = match &mut self.asking {
            Some(asking) => asking,
            none => {
                let call = match &self.next {
                    None => return Poll::Ready(Ok(None)),
                    Some(Next::First(call)) => (**call).clone(),
                    Some(Next::Link(link)) => Call::absolute(link),
                    Some(Next::Circle(link)) => {
                        let link = link.clone();
                        return Poll::Ready(Err(ListError::Endless { link }));
                    }
                };
                let call = if self.advance_access {
                    call.in_advance_access()
                } else {
                    call
                };
                let (client, read) = (self.client.clone(), Arc::clone(&self.read));
                none.insert(Box::pin(async move {
                    client.fetch_with(call, move |text| read(text)).await
                }))
            }
        };
        let fetched = ready!(asking.as_mut().poll(context));
        self.asking = None;
        let Fetched { value, total, .. } = fetched?;
        self.total = total.or(self.total);
        self.next = value.next().map(|link| {
            if self.seen.insert(link.to_owned()) {
                Next::Link(link.to_owned())
            } else {
                Next::Circle(link.to_owned())
            }
        });
        Poll::Ready(Ok(Some(value)))
    }

    /// Whether there is no further page.
    pub fn has_ended(&self) -> bool {
        self.next.is_none()
    }

    /// How many items the list has in all, once a page was read and if the platform says so.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// An error doesn't end it: polled again, it asks for the page again.
impl<P: Paged> Stream for Pager<P> {
    type Item = Result<P, ListError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_page(context).map(Result::transpose)
    }
}

impl<P> fmt::Debug for Pager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("next", &self.next)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + Send + 'static> Pager<Page<T>> {
    /// The same list, where an item that can't be read spoils only itself.
    #[must_use]
    pub fn leniently(self) -> Pager<Page<Entry<T>>> {
        Pager {
            client: self.client,
            next: self.next,
            asking: None,
            seen: self.seen,
            total: self.total,
            advance_access: self.advance_access,
            read: Arc::new(Page::read),
        }
    }

    /// Reads the whole list into memory.
    ///
    /// # Errors
    ///
    /// Those of [`next_page`](Self::next_page).
    pub async fn collect(mut self) -> Result<Vec<T>, ListError> {
        let mut items = Vec::new();
        while let Some(page) = self.next_page().await? {
            items.extend(page.items);
        }
        Ok(items)
    }
}
