//! Authenticated calls to the CAVATICA API that tell the truth about what happened to a request.
//!
//! This crate knows methods, routes, bodies and whether sending twice does harm; it knows no export, file or volume. So
//! it can call any route of the API:
//!
//! ```no_run
//! use cavatica_transport::{Call, Client, Endpoint, Outcome, Token};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let token = Token::new(std::env::var("SB_AUTH_TOKEN")?)?;
//! let client = Client::builder(Endpoint::CAVATICA.parse()?, token).build()?;
//!
//! let call = Call::post("/storage/exports")
//!     .query("copy_only", true)
//!     .json(&serde_json::json!({
//!         "source": {"file": "567890abc8a5639cc6722063"},
//!         "destination": {"volume": "rfranklin/output", "location": "run1/output.vcf"},
//!     }));
//! match client.fetch::<serde_json::Value>(call).await {
//!     Ok(job) => println!("started {}", job.value["id"]),
//!     Err(error) if *error.outcome() == Outcome::Unknown => println!("look before you send again: {error}"),
//!     Err(error) => println!("nothing was started: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | for | begin with |
//! |---|---|
//! | a client | [`Client::builder`]: limits, retries, proxy, trust, hooks for waits and for outgoing headers |
//! | a call | [`Call::get`], [`post`](Call::post), [`put`](Call::put), [`patch`](Call::patch), [`delete`](Call::delete); [`Client::fetch`], [`Client::send`] |
//! | what happened | [`Error::outcome`], [`Error::fault`], [`Error::code`], [`Error::api_error`] |
//! | the limit on requests | [`Client::budget`] |
//!
//! # Using it
//!
//! ```toml
//! cavatica-transport = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-transport" }
//! ```
//!
//! No features. Rust 1.95 or later. It never sends a start twice unless the first was provably not sent, and shows the token
//! nowhere.
//!
//! # What it decides
//!
//! * **Outcomes.** An [`Error`] says what happened to the request, see [`Outcome`]. *Not sent* is proven: the body of a
//!   request is handed to the connection through a one-way gate, and whoever gives up can shut it (`gate.rs`).
//! * **Retries.** A [`Read`](Effect::Read) is repeated; a [`Start`](Effect::Start) only after `NotSent`, `Throttled` or
//!   `Maintenance`. Each attempt of a start runs in a task that can't be dropped.
//! * **Bytes** die with their sender: a connection that is closed, also by the program's death, throws away what it hasn't
//!   sent, and what nobody acknowledges ends it in time ([`Client::longest_byte_life`]).
//! * **Pace.** One request budget for all clones of a client, fed by the service's headers; a 429 is waited for.
//! * **Origin.** The token goes to the configured origin alone. Redirects are errors, as are links to elsewhere.
//!
//! # What it doesn't do
//!
//! It doesn't ask for compressed answers. A page of a hundred items is some 100 kB, and the limit of one request per
//! 0.3 s costs far more than its bytes; a decompressor would cost a dependency and a bound on what it may unpack to.
//! It follows no redirect, keeps no cookies and knows one kind of credential, the developer token.

#![warn(missing_docs)]

mod answer;
mod budget;
mod builder;
mod call;
mod classify;
mod client;
mod clock;
mod connect;
mod drive;
mod endpoint;
mod error;
mod gate;
mod retry;
mod shared;
mod starts;
mod token;
mod trace;
mod wait;

pub use cavatica_model as model;

pub use answer::{Answer, Fetched};
pub use budget::{BudgetView, LimitsTold};
pub use builder::{BuildError, ClientBuilder};
pub use call::{Call, Effect, Named};
pub use cavatica_connect::{DialError, ProxyChoice};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use connect::{Connect, Connecting, Stream};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Error, Fault, Outcome};
pub use gate::Guard;
pub use retry::RetryPolicy;
pub use token::{Token, TokenError};
pub use wait::{Wait, WaitReason};
