//! The one loop: pace, attempt, classify, decide, wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::Effect;
use crate::answer::{Reader, Success};
use crate::budget::{Pace, RateHeaders, later};
use crate::call::Prepared;
use crate::classify::{BodyFault, Exchange, Proof, classify};
use crate::error::{FailedAttempt, Fault, Outcome};
use crate::gate::{Gate, GatedBody, Guard};
use crate::retry::{Decision, decide, doubled};
use crate::shared::Shared;
use crate::trace;
use crate::wait::{Wait, WaitReason};

/// The platform's name for the header with the token.
///
/// Source: <https://docs.cavatica.org/docs/the-api>.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-sbg-auth-token");

/// The first wait for a maintenance to end; it doubles each time, up to [`LONGEST_MAINTENANCE_WAIT`].
const FIRST_MAINTENANCE_WAIT: Duration = Duration::from_secs(2);

/// The wait that the official clients take from the start.
const LONGEST_MAINTENANCE_WAIT: Duration = Duration::from_secs(300);

/// A request that the budget has counted as under way, until this is dropped.
struct Permit(Arc<Shared>);

impl Drop for Permit {
    fn drop(&mut self) {
        locked(&self.0.budget).land();
    }
}

/// What a call has used up so far.
pub(crate) struct Spent {
    pub(crate) begun: Timestamp,
    /// How often starts had been withdrawn when it began.
    withdrawals: u64,
    /// Asked before its bytes leave.
    guard: Option<Guard>,
    pub(crate) attempts: u32,
    /// Of those that back off; the waits for the budget and for maintenance are no failures.
    failures: u32,
    maintenances: u32,
    /// In attempts and back-offs.
    time: Duration,
    /// In waits for the budget and for maintenance.
    patience: Duration,
}

impl Shared {
    pub(crate) async fn drive(
        self: &Arc<Self>,
        call: &Arc<Prepared>,
        reader: &Reader,
        free: bool,
        spent: &mut Spent,
    ) -> Result<Success, FailedAttempt> {
        loop {
            let permit = if free {
                locked(&self.budget).count_free();
                None
            } else {
                Some(self.pace(spent).await?)
            };
            if self.is_withdrawn(call, spent) {
                return Err(FailedAttempt::new(Outcome::NotSent, Fault::Withdrawn));
            }
            spent.attempts += 1;
            let begun = Instant::now();
            let limit = call
                .limit
                .unwrap_or(self.settings.attempt_limit)
                .min(self.settings.call_limit.saturating_sub(spent.time));
            let failure = match self
                .attempt_safely(call, reader, permit, spent, limit)
                .await
            {
                Ok(success) => return Ok(success),
                Err(failure) => failure,
            };
            spent.time += begun.elapsed();
            spent.failures += u32::from(counts(failure.outcome));
            if self.is_withdrawn(call, spent) {
                return Err(failure);
            }
            let most = self.settings.retry.attempts;
            let decision = decide(
                call.effect,
                failure.outcome,
                &failure.fault,
                spent.failures,
                most,
            );
            if !self.bide(decision, &failure.fault, free, spent).await {
                return Err(failure);
            }
        }
    }

    /// Waits as decided; false where nothing is to be tried again, or not within what the call may take.
    async fn bide(&self, decision: Decision, fault: &Fault, free: bool, spent: &mut Spent) -> bool {
        match decision {
            Decision::GiveUp => return false,
            Decision::BackOff => {
                let chance = self.settings.clock.chance();
                let wait = self.settings.retry.wait(spent.failures, chance);
                let in_time = spent.time.saturating_add(wait) < self.settings.call_limit;
                if !in_time || !locked(&self.retries).take(fault) {
                    return false;
                }
                spent.time += wait;
                self.wait(WaitReason::Retry, wait).await;
            }
            // Pacing waits, now that the budget knows.
            Decision::AwaitBudget if free => return false,
            Decision::AwaitBudget => {
                if let Pace::WaitUntil(until) = locked(&self.budget).outlook(self.now())
                    && self.patience_left(spent) < since(self.now(), until)
                {
                    return false;
                }
            }
            Decision::AwaitMaintenance => {
                spent.maintenances += 1;
                let wait = doubled(
                    FIRST_MAINTENANCE_WAIT,
                    spent.maintenances,
                    LONGEST_MAINTENANCE_WAIT,
                );
                let wait = wait + self.jitter();
                if self.patience_left(spent) < wait {
                    return false;
                }
                spent.patience += wait;
                self.wait(WaitReason::Maintenance, wait).await;
            }
        }
        true
    }

    fn is_withdrawn(&self, call: &Prepared, spent: &Spent) -> bool {
        call.effect == Effect::Start && self.starts.withdrawals() != spent.withdrawals
    }

    /// Waits until the request budget has one for us.
    async fn pace(self: &Arc<Self>, spent: &mut Spent) -> Result<Permit, FailedAttempt> {
        loop {
            let now = self.now();
            // On a line of its own, so that the lock isn't held while waiting.
            let pace = locked(&self.budget).take(now);
            let Pace::WaitUntil(until) = pace else {
                return Ok(Permit(Arc::clone(self)));
            };
            let wait = since(now, until) + self.jitter();
            if self.patience_left(spent) < wait {
                return Err(FailedAttempt::new(Outcome::NotSent, Fault::Budget));
            }
            spent.patience += wait;
            self.wait(WaitReason::Budget, wait).await;
        }
    }

    /// A start goes in a task of its own: whoever drops the call does not tear down a request whose answer is due.
    async fn attempt_safely(
        self: &Arc<Self>,
        call: &Arc<Prepared>,
        reader: &Reader,
        permit: Option<Permit>,
        spent: &Spent,
        limit: Duration,
    ) -> Result<Success, FailedAttempt> {
        let span = trace::attempt(call, spent.attempts);
        let (withdrawals, guard) = (spent.withdrawals, spent.guard.clone());
        let (shared, prepared) = (Arc::clone(self), Arc::clone(call));
        let reader = Arc::clone(reader);
        let attempt = async move {
            let told = shared
                .attempt(&prepared, &reader, permit, (withdrawals, guard), limit)
                .await;
            trace::attempted(&told);
            told
        }
        .instrument(span);
        match call.effect {
            Effect::Read => attempt.await,
            Effect::Start => match tokio::spawn(attempt).await {
                Ok(told) => told,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime is shutting down, perhaps in the middle of it.
                Err(error) => {
                    Err(FailedAttempt::new(Outcome::Unknown, Fault::Broken).because(error))
                }
            },
        }
    }

    async fn attempt(
        &self,
        call: &Prepared,
        reader: &Reader,
        permit: Option<Permit>,
        (withdrawals, guard): (u64, Option<Guard>),
        limit: Duration,
    ) -> Result<Success, FailedAttempt> {
        let (gate, body) = Gate::before(call.body.clone(), guard);
        if call.effect == Effect::Start && !self.starts.enter(withdrawals, &gate) {
            return Err(FailedAttempt::new(Outcome::NotSent, Fault::Withdrawn));
        }
        let exchange = self.exchange(call, body, limit).await;
        // Only a start needs the proof, and the answer must be in before it is asked for.
        let proof = match call.effect {
            Effect::Start if gate.withdraw() => Proof::NotSent,
            _ => Proof::None,
        };
        let told = match &exchange {
            Exchange::Answered(parts, _) => Some(RateHeaders::read(&parts.headers, self.now())),
            Exchange::Failed(_) | Exchange::TimedOut(_) => None,
        };
        let answer = classify(exchange, call, proof, reader, self.settings.max_answer);
        if let Some(ahead) = told.as_ref().and_then(RateHeaders::clock_ahead) {
            *locked(&self.clock_ahead) = Some(ahead);
        }
        self.account(&answer, told, permit);
        answer
    }

    /// One request on the wire, and its answer to the last byte.
    async fn exchange(&self, call: &Prepared, body: GatedBody, limit: Duration) -> Exchange {
        let deadline = Instant::now() + limit;
        let request = self.request(call, body);
        let response = match timeout_at(deadline, self.http.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Exchange::Failed(error),
            Err(_) => return Exchange::TimedOut(limit),
        };
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.settings.max_answer);
        let body = match timeout_at(deadline, body.collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) => Err(BodyFault::Failed(error)),
            Err(_) => Err(BodyFault::TimedOut(limit)),
        };
        Exchange::Answered(parts, body)
    }

    fn request(&self, call: &Prepared, body: GatedBody) -> Request<GatedBody> {
        let json = HeaderValue::from_static("application/json");
        let mut request = Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        let headers = request.headers_mut();
        for (name, value) in &call.headers {
            headers.append(name, value.clone());
        }
        if let Some(add) = &self.settings.on_request {
            add(headers);
        }
        headers.insert(header::ACCEPT, json.clone());
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::USER_AGENT, self.settings.user_agent.clone());
        headers.insert(TOKEN_HEADER, self.token.header());
        request
    }

    /// Tells the budgets how an attempt ended.
    fn account(
        &self,
        answer: &Result<Success, FailedAttempt>,
        told: Option<RateHeaders>,
        permit: Option<Permit>,
    ) {
        let paid = permit.is_some();
        drop(permit);
        let now = self.now();
        let throttled = matches!(answer, Err(failure) if failure.outcome == Outcome::Throttled);
        if let Some(told) = told.as_ref().filter(|_| answer.is_ok() || throttled) {
            locked(&self.limits_told).note(told, throttled);
        }
        let mut budget = locked(&self.budget);
        match (answer, told) {
            (Err(_), Some(told)) if throttled => budget.refused(told, now),
            (Err(failure), None) if paid && failure.outcome == Outcome::NotSent => {
                budget.put_back();
            }
            (_, Some(told)) => budget.observe(told, now),
            (_, None) => {}
        }
        if answer.is_ok() {
            budget.accepted();
        }
        drop(budget);
        if answer.is_ok() {
            locked(&self.retries).give_back();
        }
    }

    /// Announces a wait once, then waits.
    async fn wait(&self, reason: WaitReason, how_long: Duration) {
        let wait = Wait {
            reason,
            how_long,
            until: later(self.now(), how_long),
        };
        trace::waiting(&wait);
        if let Some(on_wait) = &self.settings.on_wait {
            on_wait(&wait);
        }
        self.settings.clock.sleep(how_long).await;
    }

    /// Half a second to a whole one: a reset is told in whole seconds, and those who wait for it should not all come at
    /// once.
    fn jitter(&self) -> Duration {
        Duration::from_millis(500).mul_f64(1.0 + self.settings.clock.chance())
    }

    fn patience_left(&self, spent: &Spent) -> Duration {
        self.settings.patience.saturating_sub(spent.patience)
    }
}

impl Spent {
    pub(crate) fn new(begun: Timestamp, withdrawals: u64, guard: Option<Guard>) -> Self {
        Spent {
            begun,
            withdrawals,
            guard,
            attempts: 0,
            failures: 0,
            maintenances: 0,
            time: Duration::ZERO,
            patience: Duration::ZERO,
        }
    }
}

/// Whether an attempt with this outcome is a failure, rather than a wait.
fn counts(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Throttled | Outcome::Maintenance)
}

/// No time at all where the clock was set back.
pub(crate) fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Nothing panics while it holds one of these locks, and their values are whole at any time.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
