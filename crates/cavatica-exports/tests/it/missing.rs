//! What isn't there is named by the error, whichever call named it.

use cavatica_exports::model::volume::VolumePermissions;
use cavatica_exports::model::{FileId, ProjectId, TaskId, VolumeId};
use cavatica_exports::transport::Error;
use cavatica_exports::{Cavatica, ListError, Missing, Parent, Resource};

use crate::world::World;

fn of_list(error: ListError) -> Error {
    match error {
        ListError::Call(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_error_names_what_is_not_there() {
    let world = World::new().await;
    let api: &Cavatica = &world;
    let file: FileId = "567890abc8a5639cc6722063".parse().unwrap();
    let volume: VolumeId = "sandbox/outptu".parse().unwrap();
    let project: ProjectId = "sandbox/dmeo".parse().unwrap();
    let task: TaskId = "6f2a1b3c-0000-4000-8000-000000000001".parse().unwrap();
    let there: VolumeId = "sandbox/output".parse().unwrap();
    let may = VolumePermissions::exactly(true, false, false, false);
    let listed = |parent| api.files.list(&parent).collect();
    for (error, resource, id) in [
        (
            api.files.get(&file).await.unwrap_err(),
            Resource::File,
            file.as_str(),
        ),
        (
            api.volumes.get(&volume).await.unwrap_err(),
            Resource::Volume,
            volume.as_str(),
        ),
        (
            api.tasks.get(&task).await.unwrap_err(),
            Resource::Task,
            task.as_str(),
        ),
        (
            of_list(listed(Parent::Project(project.clone())).await.unwrap_err()),
            Resource::Project,
            project.as_str(),
        ),
        (
            of_list(listed(Parent::Folder(file.clone())).await.unwrap_err()),
            Resource::Folder,
            file.as_str(),
        ),
        (
            api.exports
                .get(&"nothing".parse().unwrap())
                .await
                .unwrap_err(),
            Resource::ExportJob,
            "nothing",
        ),
        (
            api.volumes.object(&there, "run1/none").await.unwrap_err(),
            Resource::Object,
            "run1/none",
        ),
        // The volume is missing, not its member or its object.
        (
            api.volumes.object(&volume, "run1/none").await.unwrap_err(),
            Resource::Volume,
            volume.as_str(),
        ),
        (
            api.volumes
                .set_member(&there, "nobody", &may)
                .await
                .unwrap_err(),
            Resource::Member,
            "nobody",
        ),
    ] {
        let missing = Missing::of(&error).expect("something isn't there");
        assert_eq!((missing.resource, &*missing.id), (resource, id), "{error}");
    }
}
