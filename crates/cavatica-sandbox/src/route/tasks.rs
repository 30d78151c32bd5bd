//! Finished tasks, for the sake of their outputs.

use cavatica_model::ApiError;
use cavatica_model::task::TaskStatus;
use cavatica_model::wire::{DateTime, OpenName};
use jiff::Timestamp;
use serde_json::Value;

use super::request::{Request, slice};
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::query::Query;
use crate::wire::refusal::Code;

/// Source: <https://docs.cavatica.org/reference/get-details-of-a-task>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let task = hub
        .platform
        .state()
        .world
        .task_view(request.id(), &request.links)
        .ok_or_else(|| Code::NO_TASK.error())?;
    Ok(Reply::json(Fields::of_detail(&request.query).choose(&task)))
}

/// Source: <https://docs.cavatica.org/reference/list-all-your-tasks>.
pub(super) fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name", "project"]);
    let state = hub.platform.state();
    let query = &request.query;
    let filter = TaskFilter::of(query)?;
    let tasks = state.world.tasks(query.get("project"), query.get("parent"));
    let views = tasks
        .iter()
        .filter_map(|id| state.world.task_view(id.as_str(), &request.links));
    let mut matching: Vec<Value> = views.filter(|task| filter.admits(task)).collect();
    if let Some(key) = query.get("order_by") {
        matching.sort_by_key(|task| task[key].as_str().unwrap_or_default().to_owned());
        if query
            .get("order")
            .is_some_and(|order| order.eq_ignore_ascii_case("desc"))
        {
            matching.reverse();
        }
    }
    let items = slice(&matching, window).iter();
    let items = items.map(|task| fields.choose(task)).collect();
    Ok(Reply::page(
        &request.listing(),
        items,
        window,
        matching.len(),
    ))
}

/// Which tasks a list shows.
struct TaskFilter<'a> {
    status: Option<&'a str>,
    /// The key of a moment, and the bounds that it lies within.
    moments: Vec<(&'static str, Option<Timestamp>, Option<Timestamp>)>,
}

impl<'a> TaskFilter<'a> {
    fn of(query: &'a Query) -> Result<Self, ApiError> {
        let status = query.get("status");
        if status.is_some_and(|status| TaskStatus::from_name(status).is_none()) {
            return Err(Code::BAD_TASK_STATUS.error());
        }
        let moment = |name: String| match query.get(&name) {
            None => Ok(None),
            Some(text) => {
                let moment = DateTime::from(text).timestamp();
                moment.map(Some).ok_or_else(|| Code::BAD_TIME.error())
            }
        };
        let mut moments = Vec::new();
        for (name, key) in [
            ("created", "created_time"),
            ("started", "start_time"),
            ("ended", "end_time"),
        ] {
            let (from, to) = (
                moment(format!("{name}_from"))?,
                moment(format!("{name}_to"))?,
            );
            moments.push((key, from, to));
        }
        Ok(TaskFilter { status, moments })
    }

    fn admits(&self, task: &Value) -> bool {
        let status = task["status"].as_str().unwrap_or_default();
        self.status
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(status))
            && self.moments.iter().all(|(key, from, to)| {
                let moment = task[*key].as_str().map(DateTime::from);
                let moment = moment.and_then(|moment| moment.timestamp());
                (from.is_none() && to.is_none())
                    || moment.is_some_and(|moment| {
                        from.is_none_or(|from| from <= moment) && to.is_none_or(|to| moment <= to)
                    })
            })
    }
}
