//! What each call answers. One file per area.

mod account;
mod bulk;
mod contents;
mod exports;
mod files;
mod members;
mod mounting;
mod request;
mod scroll;
mod tasks;
mod volumes;

use cavatica_model::ApiError;

pub(crate) use request::{Acceptance, FilesShown, JobsShown, Request};

use crate::control::hub::Hub;
use crate::wire::answer::Reply;
use crate::wire::refusal::Code;
use crate::wire::route::Route;

/// Carries a request out.
pub(crate) async fn dispatch(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    match request.route {
        Route::Root => Ok(account::root(request)),
        Route::User => Ok(account::user(request)),
        Route::UserByName => account::user_by_name(request),
        Route::RateLimit => Ok(account::rate_limit(request)),
        Route::Projects => account::projects(hub, request),
        Route::ProjectsOf => account::projects(hub, request),
        Route::Project => account::project(hub, request),
        Route::ProjectFiles => account::elsewhere(hub, request, "files"),
        Route::ProjectTasks => account::elsewhere(hub, request, "tasks"),
        Route::ProjectMembers => account::project_members(hub, request),
        Route::ProjectMember => account::project_member(hub, request),
        Route::Files => files::list(hub, request),
        Route::Scroll => scroll::scroll(hub, request),
        Route::File => files::get(hub, request),
        Route::FileMetadata => files::metadata(hub, request),
        Route::FolderList => files::list_folder(hub, request),
        Route::FolderScroll => scroll::scroll_folder(hub, request),
        // A query language that no page describes.
        Route::Search => Err(Code::NOT_IMPLEMENTED.error()),
        Route::BulkFiles => bulk::files(hub, request),
        Route::BulkTasks => bulk::tasks(hub, request),
        Route::Tasks => tasks::list(hub, request),
        Route::Task => tasks::get(hub, request),
        Route::Volumes => volumes::list(hub, request),
        Route::CreateVolume => volumes::create(hub, request),
        Route::Volume => volumes::get(hub, request),
        Route::ChangeVolume => volumes::change(hub, request),
        Route::RemoveVolume => volumes::remove(hub, request),
        Route::VolumeList => contents::list(hub, request).await,
        Route::VolumeObject => contents::object(hub, request).await,
        Route::VolumeMembers => members::list(hub, request),
        Route::VolumeMember => members::get(hub, request),
        Route::AddVolumeMember => members::add(hub, request),
        Route::RemoveVolumeMember => members::remove(hub, request),
        Route::VolumePermissions => members::permissions(hub, request),
        Route::ChangeVolumePermissions => members::change(hub, request),
        Route::ReplaceVolumePermissions => members::replace(hub, request),
        Route::Start => exports::start(hub, request).await,
        Route::Exports => exports::list(hub, request),
        Route::Export => exports::get(hub, request),
        Route::BulkStart => bulk::start(hub, request).await,
        Route::BulkGet => bulk::get(hub, request),
    }
}
