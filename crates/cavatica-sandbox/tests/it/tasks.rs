use cavatica_sandbox::{FileSeed, ProjectSeed, Sandbox, Scenario, TaskSeed};
use serde_json::json;

use crate::client::{Outcome, get};

const TASK: &str = "6f2a1b3c-0000-4000-8000-000000000001";

fn project() -> ProjectSeed {
    ProjectSeed::new("lab/trio")
        .file("run1/a.bam", "reads")
        .file("run1/a.bam.bai", "index")
        .folder("run1/reports")
}

#[tokio::test]
async fn a_described_task_shows_ids_where_it_named_paths() -> Outcome {
    let task = TaskSeed::new(TASK)
        .name("alignment")
        .output(
            "bam",
            json!([[{
                "class": "File", "path": "run1/a.bam",
                "secondaryFiles": [{"class": "File", "path": "run1/a.bam.bai"}]
            }], null]),
        )
        .output(
            "reports",
            json!({"class": "Directory", "path": "run1/reports"}),
        )
        .output("nothing", json!(null))
        .output("reads", 1042);
    let sandbox = Sandbox::builder()
        .project(project().task(task))
        .start()
        .await?;
    let id = |path: &str| sandbox.file_id("lab/trio", path).expect("it is there");
    let told = get(&sandbox, &format!("/tasks/{TASK}")).send().await.json();
    assert_eq!(
        (&told["id"], &told["name"]),
        (&json!(TASK), &json!("alignment"))
    );
    assert_eq!(
        (&told["status"], &told["project"]),
        (&json!("COMPLETED"), &json!("lab/trio"))
    );
    assert_eq!(
        told["outputs"],
        json!({
            "bam": [[{
                "class": "File", "path": id("run1/a.bam"), "name": "a.bam",
                "secondaryFiles": [{"class": "File", "path": id("run1/a.bam.bai"), "name": "a.bam.bai"}]
            }], null],
            "reports": {"class": "Directory", "path": id("run1/reports"), "name": "reports"},
            "nothing": null,
            "reads": 1042
        })
    );
    let few = format!("/tasks/{TASK}?fields=status");
    let few = get(&sandbox, &few).send().await.json();
    assert_eq!(few, json!({"status": "COMPLETED"}));
    Ok(())
}

#[tokio::test]
async fn a_task_that_only_files_name_puts_them_out() -> Outcome {
    let project = project().with(FileSeed::bytes("b.vcf", "").task(TASK));
    let sandbox = Sandbox::builder().project(project).start().await?;
    let told = get(&sandbox, &format!("/tasks/{TASK}")).send().await.json();
    let file = sandbox.file_id("lab/trio", "b.vcf");
    assert_eq!(
        told["outputs"],
        json!({"files": [{"class": "File", "path": file, "name": "b.vcf"}]})
    );
    let unknown = get(&sandbox, "/tasks/none").send().await;
    assert_eq!(unknown.code(), (404, 7002));
    Ok(())
}

#[tokio::test]
async fn a_batch_task_stands_for_its_parts() -> Outcome {
    let part = |id: &str| TaskSeed::new(id).part_of(TASK).app("lab/trio/align/1");
    let alone = TaskSeed::new("alone");
    let project = project()
        .task(part("first"))
        .task(part("second"))
        .task(alone);
    let sandbox = Sandbox::builder().project(project).start().await?;
    let batch = get(&sandbox, &format!("/tasks/{TASK}")).send().await.json();
    assert_eq!(
        (&batch["batch"], &batch["outputs"]),
        (&json!(true), &json!({}))
    );
    let list = format!("/tasks?parent={TASK}&fields=id,app,batch");
    let list = get(&sandbox, &list).send().await.json();
    let told = |id: &str| json!({"id": id, "app": "lab/trio/align/1", "batch": false});
    assert_eq!(list["items"], json!([told("first"), told("second")]));
    Ok(())
}

#[tokio::test]
async fn tasks_come_from_scenarios_and_outlive_a_restart() -> Outcome {
    let scenario: Scenario = json!({"projects": [{
        "id": "lab/trio",
        "files": [{"path": "a.bam", "size": 5, "task": TASK}],
        "tasks": [{"id": TASK, "outputs": {"bam": {"class": "File", "path": "a.bam"}}}]
    }]})
    .to_string()
    .parse()?;
    let folder = tempfile::tempdir()?;
    let path = format!("/tasks/{TASK}?fields=outputs");
    let sandbox = Sandbox::builder()
        .scenario(scenario)
        .data(folder.path())
        .start()
        .await?;
    let before = get(&sandbox, &path).send().await.json();
    sandbox.stop().await;
    let sandbox = Sandbox::builder().data(folder.path()).start().await?;
    assert_eq!(get(&sandbox, &path).send().await.json(), before);
    assert_eq!(before["outputs"]["bam"]["name"], "a.bam");
    Ok(())
}

#[tokio::test]
async fn tasks_that_contradict_the_world_are_refused() {
    let file = |path: &str| json!({"class": "File", "path": path});
    let bad = [
        project().task(TaskSeed::new(TASK).output("o", json!([file("run1/none")]))),
        project().task(TaskSeed::new(TASK).output("o", file("run1/reports"))),
        project()
            .task(TaskSeed::new(TASK))
            .task(TaskSeed::new(TASK)),
    ];
    for project in bad {
        let told = format!("{project:?}");
        assert!(
            Sandbox::builder().project(project).start().await.is_err(),
            "{told}"
        );
    }
}
