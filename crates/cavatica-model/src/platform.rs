//! The environments that speak this API: what they are called, where they are, and in what they differ.

use std::fmt;
use std::str::FromStr;

use crate::ProjectId;

/// An environment of the Seven Bridges platform. All of them have the same calls.
///
/// ```
/// use cavatica_model::account::Platform;
///
/// let cgc: Platform = "cgc".parse()?;
/// assert_eq!(cgc.api(), "https://cgc-api.sbgenomics.com/v2");
/// assert_eq!(Platform::of_address("https://cgc.sbgenomics.com/u/ada/trial"), Some(cgc));
/// assert_eq!(Platform::of_address("https://example.org/v2"), None);
/// # Ok::<(), cavatica_model::account::PlatformError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Platform {
    /// CAVATICA, of the Kids First centre.
    #[default]
    Cavatica,
    /// Seven Bridges on AWS in the United States.
    SevenBridges,
    /// Seven Bridges on AWS in Europe.
    SevenBridgesEu,
    /// Seven Bridges in China.
    SevenBridgesChina,
    /// The Cancer Genomics Cloud.
    Cgc,
    /// BioData Catalyst.
    BioDataCatalyst,
}

/// What is known of one environment.
struct Facts {
    name: &'static str,
    title: &'static str,
    api: &'static str,
    web: &'static [&'static str],
    exports_to_google: bool,
}

/// A name that no environment has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such platform; there are {names}", names = names())]
pub struct PlatformError(());

fn names() -> String {
    let names: Vec<_> = Platform::ALL.iter().map(|known| known.name()).collect();
    names.join(", ")
}

impl Platform {
    /// Every environment.
    pub const ALL: &'static [Platform] = &[
        Platform::Cavatica,
        Platform::SevenBridges,
        Platform::SevenBridgesEu,
        Platform::SevenBridgesChina,
        Platform::Cgc,
        Platform::BioDataCatalyst,
    ];

    /// The API's addresses are documented but for China's, which the official R client knows. That volumes on Google take
    /// exports is said by BioData Catalyst's pages alone; those of CAVATICA and the CGC deny it, the others speak of AWS.
    ///
    /// Sources: <https://docs.cavatica.org/docs/the-api>, <https://docs.sevenbridges.com/reference/the-api>,
    /// <https://docs.cancergenomicscloud.org/docs/the-cgc-api>, <https://sb-biodatacatalyst.readme.io/docs/the-api>,
    /// <https://cran.r-project.org/package=sevenbridges2>.
    fn facts(self) -> Facts {
        let (name, title, api, web, exports_to_google) = match self {
            Platform::Cavatica => (
                "cavatica",
                "CAVATICA",
                "https://cavatica-api.sbgenomics.com/v2",
                &["cavatica.sbgenomics.com"][..],
                false,
            ),
            Platform::SevenBridges => (
                "sbg-us",
                "Seven Bridges",
                "https://api.sbgenomics.com/v2",
                &["igor.sbgenomics.com"][..],
                false,
            ),
            Platform::SevenBridgesEu => (
                "sbg-eu",
                "Seven Bridges EU",
                "https://eu-api.sbgenomics.com/v2",
                &["eu.sbgenomics.com"][..],
                false,
            ),
            Platform::SevenBridgesChina => (
                "sbg-china",
                "Seven Bridges China",
                "https://api.sevenbridges.cn/v2",
                &["platform.sevenbridges.cn"][..],
                false,
            ),
            Platform::Cgc => (
                "cgc",
                "the Cancer Genomics Cloud",
                "https://cgc-api.sbgenomics.com/v2",
                &["cgc.sbgenomics.com"][..],
                false,
            ),
            Platform::BioDataCatalyst => (
                "bdc",
                "BioData Catalyst",
                "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2",
                &["platform.sb.biodatacatalyst.nhlbi.nih.gov"][..],
                true,
            ),
        };
        Facts {
            name,
            title,
            api,
            web,
            exports_to_google,
        }
    }

    /// The name by which people choose it, for instance `cgc`; it doesn't change.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The base address of its API.
    pub fn api(self) -> &'static str {
        self.facts().api
    }

    /// The hosts where people work with it in a browser; the first is the usual one. The API isn't there.
    pub fn web_hosts(self) -> &'static [&'static str] {
        self.facts().web
    }

    /// Whether its pages say that volumes on Google's cloud take exports.
    pub fn exports_to_google(self) -> bool {
        self.facts().exports_to_google
    }

    /// The environment that an address belongs to, be it the API's or a page's, with or without `https://`.
    pub fn of_address(address: &str) -> Option<Platform> {
        let host = host(address);
        let is_its_own = |known: &&Platform| {
            host.eq_ignore_ascii_case(self::host(known.api())) || known.has_page_at(host)
        };
        Platform::ALL.iter().find(is_its_own).copied()
    }

    /// The environment whose page, not whose API, an address is.
    pub fn of_page(address: &str) -> Option<Platform> {
        let host = host(address);
        let is_its_page = |known: &&Platform| known.has_page_at(host);
        Platform::ALL.iter().find(is_its_page).copied()
    }

    fn has_page_at(self, host: &str) -> bool {
        let web = self.web_hosts();
        web.iter().any(|known| host.eq_ignore_ascii_case(known))
    }
}

/// The host of an address, without its port; empty where a user name stands before it and could be taken for the host.
fn host(address: &str) -> &str {
    let address = address.trim();
    let behind = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return "";
    }
    authority.split(':').next().unwrap_or_default()
}

impl ProjectId {
    /// The project that a page of any environment is about: its address has `/u/OWNER/SHORT-NAME`.
    ///
    /// ```
    /// use cavatica_model::ProjectId;
    ///
    /// let project = ProjectId::of_page("https://cavatica.sbgenomics.com/u/ada/trial/files/#q?x");
    /// assert_eq!(project.map(|id| id.to_string()).as_deref(), Some("ada/trial"));
    /// assert_eq!(ProjectId::of_page("https://cavatica.sbgenomics.com/home"), None);
    /// ```
    pub fn of_page(address: &str) -> Option<ProjectId> {
        let (_, path) = address.split_once("/u/")?;
        let mut parts = path.split(['/', '?', '#']).filter(|part| !part.is_empty());
        format!("{}/{}", parts.next()?, parts.next()?).parse().ok()
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Takes a name in any letter case, and any address of the environment.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let text = text.trim();
        let is_named = |known: &&Platform| known.name().eq_ignore_ascii_case(text);
        Platform::ALL
            .iter()
            .find(is_named)
            .copied()
            .or_else(|| Platform::of_address(text))
            .ok_or(PlatformError(()))
    }
}

/// What people call it, for sentences.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.facts().title)
    }
}
