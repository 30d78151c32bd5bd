//! The client: what it tells of itself, and its calls.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::Effect;
use crate::answer::{Answer, Fetched, Reader, Success, anything, json};
use crate::budget::{BudgetView, FREE_ROUTE, LimitsTold};
use crate::call::Subject;
use crate::call::{Call, CallFault, LINK};
use crate::drive::{Spent, locked, since};
use crate::endpoint::Endpoint;
use crate::error::{Error, FailedAttempt, Fault, Outcome};
use crate::gate::Guard;
use crate::shared::Shared;
use crate::trace;

/// Calls the API. Cheap to clone; all clones share connections, request budget and retry budget.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>, Option<Guard>);

impl Client {
    /// Withdraws every start whose bytes haven't left: it ends as [`NotSent`](crate::Outcome::NotSent), and isn't repeated. Starts
    /// that are under way go on, for their answers are due. What begins after this isn't touched.
    pub fn withdraw_starts(&self) {
        self.0.starts.withdraw();
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        Client(Arc::new(shared), None)
    }

    /// The same client, whose starts ask `guard` immediately before their bytes leave: if it says no, they are withdrawn for
    /// good. It is asked while others wait, so it has to answer at once.
    #[must_use]
    pub fn guarded(&self, guard: Guard) -> Client {
        Client(Arc::clone(&self.0), Some(guard))
    }

    /// Where the client stands against the limit on requests.
    pub fn budget(&self) -> BudgetView {
        locked(&self.0.budget).view()
    }

    /// What answers told of the limit on requests since this was last asked, by this client and its clones.
    pub fn take_limits_told(&self) -> LimitsTold {
        LimitsTold {
            by_others: locked(&self.0.budget).take_by_others(),
            ..std::mem::take(&mut *locked(&self.0.limits_told))
        }
    }

    /// The API that it calls.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// How long bytes live at most once they were sent: what hasn't arrived by then never does, whatever becomes of this
    /// program. `None` where nobody can say: on systems without such a limit (only Linux has it), and behind a proxy, which
    /// the limit reaches alone. Whoever looks whether a lost start was carried out waits longer than this first.
    pub fn longest_byte_life(&self) -> Option<Duration> {
        self.0.settings.byte_life
    }

    /// Whether the connections end at a proxy, which may keep what it was sent for as long as it likes.
    pub fn is_behind_proxy(&self) -> bool {
        self.0.settings.behind_proxy
    }

    /// The moment, by the clock that the client was built with.
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// How far the platform's clock is ahead of ours, by the `Date` of its last answer: to a second or two. `None` before
    /// the first answer, or where answers have no date.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        *locked(&self.0.clock_ahead)
    }

    /// Sends a call and returns any 2xx as it came.
    ///
    /// Dropping the future ends the waiting and any further attempt. An attempt of a [`Start`](Effect::Start) that is
    /// under way can't be dropped: it runs to its end in a task of its own, and only its answer is lost.
    ///
    /// # Errors
    ///
    /// [`Error`], whose [`outcome`](Error::outcome) says what happened to the request.
    pub async fn send(&self, call: Call) -> Result<Answer, Error> {
        let (success, _) = self.run(call, Arc::new(anything)).await?;
        Ok(success.answer)
    }

    /// Sends a call and reads the body of its answer.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send). A success that can't be read as a `T` is `Unknown` too: a start was probably carried
    /// out then.
    pub async fn fetch<T>(&self, call: Call) -> Result<Fetched<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.fetch_with(call, |text| serde_json::from_str(text))
            .await
    }

    /// As [`fetch`](Self::fetch), with another way to read the body.
    ///
    /// # Errors
    ///
    /// As for [`fetch`](Self::fetch).
    pub async fn fetch_with<T: Send + 'static>(
        &self,
        call: Call,
        read: impl Fn(&str) -> serde_json::Result<T> + Send + Sync + 'static,
    ) -> Result<Fetched<T>, Error> {
        let reader: Reader = Arc::new(move |body| json(body, &read));
        let (Success { answer, said }, subject) = self.run(call, reader).await?;
        let said: Box<serde_json::Result<T>> = said.downcast().expect("`json` gives that");
        let request_id = answer.request_id().map(str::to_owned);
        match *said {
            Ok(value) => Ok(Fetched {
                value,
                request_id,
                total: answer.total_matching(),
                status: answer.status(),
            }),
            Err(error) => {
                let failure = FailedAttempt {
                    status: Some(answer.status()),
                    request_id,
                    ..FailedAttempt::new(Outcome::Unknown, Fault::Unreadable).because(error)
                };
                Err(Error::new(failure, subject))
            }
        }
    }

    /// The loop is large, and futures that hold it are small this way.
    fn run(
        &self,
        call: Call,
        reader: Reader,
    ) -> impl Future<Output = Result<(Success, Subject), Error>> + Send + use<> {
        let shared = Arc::clone(&self.0);
        let guard = match call.stated_effect() {
            Effect::Start => self.1.clone(),
            Effect::Read => None,
        };
        Box::pin(async move {
            let free = call.is_get_of(FREE_ROUTE);
            let mut subject = call.subject();
            let mut spent = Spent::new(shared.now(), shared.starts.withdrawals(), guard);
            let told = match call.prepare(&shared.endpoint) {
                Ok(prepared) => {
                    if prepared.route == LINK {
                        subject.path = prepared.uri.path().to_owned();
                    }
                    let prepared = Arc::new(prepared);
                    let span = trace::call(&prepared);
                    let told = shared
                        .drive(&prepared, &reader, free, &mut spent)
                        .instrument(span.clone())
                        .await;
                    trace::ended(&span, &told, spent.attempts, &locked(&shared.budget).view());
                    told
                }
                Err(fault @ CallFault::Malformed(_)) => {
                    Err(FailedAttempt::new(Outcome::NotSent, Fault::Call).because(fault))
                }
                Err(fault @ CallFault::OtherOrigin(_)) => {
                    Err(FailedAttempt::new(Outcome::NotSent, Fault::OtherOrigin).because(fault))
                }
            };
            subject.attempts = spent.attempts;
            subject.elapsed = since(spent.begun, shared.now());
            match told {
                Ok(success) => Ok((success, subject)),
                Err(failure) => Err(Error::new(failure, subject)),
            }
        })
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.0.endpoint)
    }
}
