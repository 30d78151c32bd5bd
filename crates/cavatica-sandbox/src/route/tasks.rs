//! Finished tasks, for the sake of their outputs.

use cavatica_model::ApiError;

use super::{Request, slice};
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

/// Source: <https://docs.cavatica.org/reference/list-all-your-tasks>.
pub(super) fn list(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name", "project"]);
    let state = hub.state();
    let matching = state
        .world
        .tasks(request.query.get("project"), request.query.get("parent"));
    let items = slice(&matching, window)
        .iter()
        .filter_map(|id| state.world.task_view(id.as_str(), &request.links))
        .map(|task| fields.choose(&task))
        .collect();
    Ok(Answer::page(
        &request.listing(),
        items,
        window,
        matching.len(),
    ))
}
