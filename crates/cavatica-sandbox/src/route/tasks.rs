//! Tasks: one that is finished, for the sake of its outputs.

use cavatica_model::ApiError;

use super::Request;
use crate::answer::{Answer, Fields};
use crate::hub::Hub;
use crate::refusal::Code;

/// Source: <https://docs.cavatica.org/reference/get-details-of-a-task>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let task = hub
        .state()
        .world
        .task_view(request.id(), &request.links)
        .ok_or_else(|| Code::NO_TASK.error())?;
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&task),
    ))
}
