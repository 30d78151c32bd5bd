//! Who runs a transfer.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who runs a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Owner {
    /// The host's name.
    pub host: String,
    /// The process id on that host.
    pub process: u32,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The path of the transfer there, if it is another than the one that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

impl Owner {
    /// Somebody who hasn't said a name.
    pub(super) fn somebody() -> Self {
        Owner {
            host: String::new(),
            process: 0,
            since: None,
            transfer: None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.process == 0 {
            return f.write_str("another program");
        }
        write!(f, "process {} on `{}`", self.process, self.host)?;
        if let Some(since) = self.since {
            write!(f, " since {}", since.strftime("%Y-%m-%d %H:%M:%SZ"))?;
        }
        if let Some(transfer) = &self.transfer {
            write!(f, ", as `{}`", transfer.escape_debug())?;
        }
        Ok(())
    }
}
