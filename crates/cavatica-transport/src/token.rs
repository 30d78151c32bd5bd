//! The secret.

use std::fmt;

use http::HeaderValue;

/// A developer token. It shows nothing of itself: not in `Debug`, not in a log, not in an error.
///
/// ```
/// use cavatica_transport::Token;
///
/// let token = Token::new("0123456789abcdef0123456789abcdef".to_owned())?;
/// assert_eq!(format!("{token:?}"), "Token(..)");
/// # Ok::<(), cavatica_transport::TokenError>(())
/// ```
#[derive(Clone)]
pub struct Token(HeaderValue);

/// A text that can't be a token. It doesn't repeat the text, which may be one after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing but white space.
    #[error("the token is empty")]
    Empty,
    /// A token travels in a header: visible ASCII without spaces.
    #[error("the token has a character that no token has, at position {position}")]
    Character {
        /// Where, counted in characters from 1.
        position: usize,
    },
}

impl Token {
    /// Takes a token as the platform's Developer page shows it. White space around it, as a file's last newline, is
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`TokenError`] for a text that can't be one.
    pub fn new(text: String) -> Result<Self, TokenError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(TokenError::Empty);
        }
        if let Some(at) = trimmed.chars().position(|c| !c.is_ascii_graphic()) {
            return Err(TokenError::Character { position: at + 1 });
        }
        let mut value =
            HeaderValue::from_str(trimmed).map_err(|_| TokenError::Character { position: 1 })?;
        // Hides it from `Debug` of the request and keeps it out of HTTP/2's compression tables.
        value.set_sensitive(true);
        Ok(Token(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
