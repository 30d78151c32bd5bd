//! Query parameters, read as tolerantly as the platform must: official clients add some that mean nothing to a call.

use cavatica_model::ApiError;
use percent_encoding::percent_decode_str;

use crate::wire::refusal::Code;

#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Query(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a parameter; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a repeatable parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs()
            .filter(move |(known, value)| *known == name && !value.is_empty())
            .map(|(_, value)| value)
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// `true` in any letter case.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The window that `offset` and `limit` open on a list.
    pub(crate) fn window(&self) -> Result<Window, ApiError> {
        Ok(Window {
            offset: self.number("offset")?.unwrap_or(0),
            limit: self.limit(100)?,
        })
    }

    /// `limit`, 50 where it isn't given.
    pub(crate) fn limit(&self, most: usize) -> Result<usize, ApiError> {
        match self.number("limit")? {
            None => Ok(50),
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => {
                Err(Code::BAD_REQUEST.because(format!("limit must be between 1 and {most}.")))
            }
        }
    }

    fn number(&self, name: &str) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().map_err(|_| {
            Code::BAD_REQUEST.because(format!("{name} must be a number, zero or more."))
        })?;
        Ok(Some(number))
    }
}

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// A text as a query value.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
