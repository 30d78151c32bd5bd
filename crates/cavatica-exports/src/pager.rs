//! Lists, page by page.

use serde::de::DeserializeOwned;

use crate::model::{Entry, Page, VolumeListing};
use crate::transport::{Call, Client, Error};

/// The largest page that the platform documents.
pub(crate) const MAX_PAGE: u32 = 100;

/// A page that can name the next one.
pub trait Paged: DeserializeOwned + Send + 'static {
    /// The URL of the next page.
    fn next(&self) -> Option<&str>;

    /// The page without what doesn't lie below the folder that was asked for; only contents of volumes have folders.
    #[must_use]
    fn below(self, _folder: &str) -> Self {
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Paged for Page<T> {
    fn next(&self) -> Option<&str> {
        Page::next(self)
    }
}

impl Paged for VolumeListing {
    fn next(&self) -> Option<&str> {
        VolumeListing::next(self)
    }

    fn below(self, folder: &str) -> Self {
        VolumeListing::below(self, folder)
    }
}

/// Why a list can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A page could not be had.
    #[error(transparent)]
    Call(#[from] Error),
    /// A page names itself as the next one.
    #[error("the list at {link} never ends: a page names itself as the next one")]
    Endless {
        /// The link that came twice.
        link: String,
    },
}

/// A list, page by page. It ends where a page names no next one, even if pages before it were empty.
#[derive(Debug)]
pub struct Pager<P> {
    client: Client,
    next: Option<Next>,
    total: Option<u64>,
    /// Said with every page, not with the first alone.
    advance_access: bool,
    /// What was asked for.
    folder: String,
    read: fn(&str) -> serde_json::Result<P>,
}

#[derive(Debug)]
enum Next {
    First(Box<Call>),
    Link(String),
}

impl<P: Paged> Pager<P> {
    pub(crate) fn new(client: Client, first: Call) -> Self {
        Pager {
            client,
            next: Some(Next::First(Box::new(first))),
            total: None,
            advance_access: false,
            folder: String::new(),
            read: |text| serde_json::from_str(text),
        }
    }

    pub(crate) fn in_advance_access(mut self) -> Self {
        self.advance_access = true;
        self
    }

    /// The folder whose contents are listed.
    pub(crate) fn of_folder(mut self, folder: &str) -> Self {
        self.folder = folder.to_owned();
        self
    }

    pub(crate) fn read_by(mut self, read: fn(&str) -> serde_json::Result<P>) -> Self {
        self.read = read;
        self
    }

    /// The next page, or `None` after the last. A page that could not be had can be asked for again.
    ///
    /// # Errors
    ///
    /// Those of the transport, among them a link to another origin, which is not followed.
    pub async fn next_page(&mut self) -> Result<Option<P>, ListError> {
        let call = match &self.next {
            None => return Ok(None),
            Some(Next::First(call)) => (**call).clone(),
            Some(Next::Link(link)) => Call::absolute(link),
        };
        let call = if self.advance_access {
            call.in_advance_access()
        } else {
            call
        };
        let fetched = self.client.fetch_with(call, self.read).await?;
        self.total = fetched.total.or(self.total);
        let next = fetched.value.next().map(str::to_owned);
        if let (Some(link), Some(Next::Link(current))) = (&next, &self.next)
            && link == current
        {
            return Err(ListError::Endless { link: link.clone() });
        }
        self.next = next.map(Next::Link);
        Ok(Some(fetched.value.below(&self.folder)))
    }

    /// How many items the list has in all, once a page was read and if the platform says so.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

impl<T: DeserializeOwned + Send + 'static> Pager<Page<T>> {
    /// The same list, where an item that can't be read spoils only itself.
    #[must_use]
    pub fn leniently(self) -> Pager<Page<Entry<T>>> {
        Pager {
            client: self.client,
            next: self.next,
            total: self.total,
            advance_access: self.advance_access,
            folder: self.folder,
            read: Page::read,
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
