//! What a request asks for and what an answer says, whatever the world holds.

pub(crate) mod answer;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod route;
