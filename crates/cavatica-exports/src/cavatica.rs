//! All calls, from one client.

use crate::transport::{BuildError, Client, Endpoint, Token};
use crate::{Account, Exports, Files, Projects, Tasks, Volumes};

/// The platform, through one client: its calls, by what they are about. Cheap to clone.
///
/// ```no_run
/// # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
/// use cavatica_exports::Cavatica;
/// use cavatica_exports::transport::Token;
///
/// let cavatica = Cavatica::connect(Token::new(std::fs::read_to_string("token.txt")?)?)?;
/// for volume in cavatica.volumes.list().collect().await? {
///     println!("{}", volume.id);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cavatica {
    /// What sends the calls, and can send any other.
    pub client: Client,
    /// The account behind the token.
    pub account: Account,
    /// Export jobs.
    pub exports: Exports,
    /// Files and folders.
    pub files: Files,
    /// Projects.
    pub projects: Projects,
    /// Tasks, which make files.
    pub tasks: Tasks,
    /// Volumes, and what lies on them.
    pub volumes: Volumes,
}

impl Cavatica {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Cavatica {
            account: Account::new(client.clone()),
            exports: Exports::new(client.clone()),
            files: Files::new(client.clone()),
            projects: Projects::new(client.clone()),
            tasks: Tasks::new(client.clone()),
            volumes: Volumes::new(client.clone()),
            client,
        }
    }

    /// Calls CAVATICA itself, through a client with the settings that suit.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if no connection can be opened from here. Nothing is sent yet.
    pub fn connect(token: Token) -> Result<Self, BuildError> {
        let endpoint: Endpoint = Endpoint::CAVATICA.parse().expect("a constant");
        Client::builder(endpoint, token).build().map(Cavatica::new)
    }
}
