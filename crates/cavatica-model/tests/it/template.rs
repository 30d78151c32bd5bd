//! Laws of destination templates.

use cavatica_model::destination::{
    DestinationFault, FileFacts, LocationFault, Prefix, Template, TemplateError,
};
use cavatica_model::{FileId, Layout, Location, ProjectId, TaskId, UnknownKeys};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::strategies;

/// The text of a template.
pub(crate) fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        2 => Just("{name}"),
        1 => Just("{id}"),
        1 => Just("{project.name}"),
        1 => Just("{task}"),
        1 => Just("{metadata.sample id}"),
        1 => Just("by-sample"),
        1 => Just("{{x}}"),
    ];
    let segment = prop_oneof![
        2 => Just("{path}".to_owned()),
        1 => Just("{project}".to_owned()),
        3 => part.clone().prop_map(str::to_owned),
        1 => vec(part, 1..4).prop_map(|parts| parts.concat()),
    ];
    vec(segment, 1..5).prop_filter_map("a template with a field", |segments| {
        let text = segments.join("/");
        text.parse::<Template>().is_ok().then_some(text)
    })
}

/// What is known about a file, owned.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: FileId,
    name: String,
    path: String,
    project: ProjectId,
    task: TaskId,
    metadata: UnknownKeys,
}

impl Known {
    fn facts(&self) -> FileFacts<'_> {
        let mut facts = FileFacts::default();
        facts.id = Some(&self.id);
        facts.name = Some(&self.name);
        facts.path = Some(&self.path);
        facts.project = Some(&self.project);
        facts.task = Some(&self.task);
        facts.metadata = Some(&self.metadata);
        facts
    }
}

/// Files out of a small world, so that they often share a project, a folder or a name.
fn known() -> impl Strategy<Value = Known> {
    let word = || prop_oneof![3 => "[ab]", 1 => strategies::segment()];
    let path = vec(word(), 0..3).prop_map(|folders| folders.join("/"));
    (word(), word(), path, word(), word(), word()).prop_map(
        |(id, name, path, project, task, sample)| Known {
            id: id.parse().expect("one part"),
            name,
            path,
            project: format!("o/{project}").parse().expect("two parts"),
            task: task.parse().expect("one part"),
            metadata: json!({ "sample id": sample })
                .as_object()
                .expect("an object")
                .clone(),
        },
    )
}

proptest! {
    #[test]
    fn a_template_is_written_as_it_is_read(text in template()) {
        let template: Template = text.parse().expect("a template");
        prop_assert_eq!(&template.to_string(), &text);
        prop_assert_eq!(template.to_string().parse(), Ok(template));
    }

    #[test]
    fn any_text_parses_or_is_refused(text in prop_oneof![strategies::text(), "[{}/a]{0,8}", ".*\\{(name|id)\\}.*"]) {
        if let Ok(template) = text.parse::<Template>() {
            prop_assert_eq!(template.to_string().parse(), Ok(template));
        }
    }

    #[test]
    fn a_location_lies_under_the_prefix_and_is_made_alike_each_time(
        prefix in prop_oneof![Just(String::new()), strategies::location(), "(p/){400,520}"],
        text in template(),
        file in known(),
    ) {
        let Ok(prefix) = prefix.parse::<Prefix>() else { return Ok(()) };
        let layout = Layout::new(prefix, text.parse().expect("a template"));
        if let Ok(location) = layout.location(&file.facts()) {
            prop_assert!(location.as_str().starts_with(layout.prefix.as_str()));
            prop_assert!(location.as_str().len() <= 1024);
            prop_assert!(location.as_str().parse::<Location>().is_ok());
            prop_assert_eq!(layout.location(&file.facts()), Ok(location));
        }
    }

    #[test]
    fn the_default_is_the_path_in_the_project(file in known()) {
        let expected = if file.path.is_empty() { file.name.clone() } else { format!("{}/{}", file.path, file.name) };
        let location = Layout::default().location(&file.facts()).expect("names and folders make a location");
        prop_assert_eq!(location.as_str(), expected);
        let flat = Layout::new(Prefix::default(), Template::flat());
        let location = flat.location(&file.facts()).expect("a name is a location");
        prop_assert_eq!(location.as_str(), file.name);
    }

    /// A value never changes the number of folders, whatever it holds.
    #[test]
    fn a_metadata_value_stays_within_its_folder(value in strategies::json()) {
        let metadata = json!({ "sample": value }).as_object().expect("an object").clone();
        let layout = Layout::new(Prefix::default(), "x/{metadata.sample}/y".parse().expect("a template"));
        let mut facts = FileFacts::default();
        facts.metadata = Some(&metadata);
        if let Ok(location) = layout.location(&facts) {
            prop_assert_eq!(location.as_str().split('/').count(), 3);
        }
    }
}

fn refused(template: &str, facts: FileFacts<'_>) -> Vec<String> {
    let layout = Layout::new(Prefix::default(), template.parse().expect("a template"));
    let error = layout.location(&facts).expect_err("no location");
    error
        .faults()
        .iter()
        .map(DestinationFault::to_string)
        .collect()
}

#[test]
fn a_gap_is_an_error_and_all_of_them_are_told() {
    let metadata = json!({"slash": "a/b", "list": [1], "empty": "", "null": null});
    let mut facts = FileFacts::default();
    facts.name = Some("a.bam");
    facts.metadata = metadata.as_object();
    assert_eq!(
        refused(
            "{task}/{metadata.slash}/{metadata.list}/{metadata.empty}/{metadata.null}/{metadata.none}/{name}",
            facts
        ),
        [
            "the file has no `{task}`",
            "the file's `{metadata.slash}` is `a/b`, and its `/` would make folders of its own",
            "the file's `{metadata.list}` is a list or an object, not a text",
            "the file's `{metadata.empty}` is empty",
            "the file has no `{metadata.null}`",
            "the file has no `{metadata.none}`",
        ]
    );
}

#[test]
fn numbers_in_metadata_are_written_as_they_are() {
    let metadata = json!({"lane": 3, "paired": true});
    let mut facts = FileFacts::default();
    facts.metadata = metadata.as_object();
    let template = "lane-{metadata.lane}/{metadata.paired}".parse();
    let layout = Layout::new(
        "p/".parse().expect("a prefix"),
        template.expect("a template"),
    );
    assert_eq!(
        layout.location(&facts).expect("a location").as_str(),
        "p/lane-3/true"
    );
}

#[test]
fn a_file_without_folders_has_none_in_its_location() {
    let mut facts = FileFacts::default();
    facts.path = Some("");
    facts.name = Some("a.bam");
    let layout = |template: &str| {
        let template = template.parse().expect("a template");
        Layout::new("p".parse().expect("a prefix"), template)
    };
    let location = layout("x/{path}/{name}").location(&facts);
    assert_eq!(location.expect("a location").as_str(), "p/x/a.bam");

    // Nothing at all is left of `{path}` alone, and the prefix isn't a location.
    let only_path = layout("{path}");
    let error = only_path.location(&facts).expect_err("nothing is left");
    assert_eq!(
        error.faults(),
        [DestinationFault::Location(LocationFault::Empty)]
    );
}

#[test]
fn a_hostile_path_or_name_is_refused() {
    for (path, name) in [
        ("../up", "a"),
        ("a//b", "a"),
        ("/a", "a"),
        ("a", ".."),
        ("a", "x/y"),
        ("a\nb", "c"),
    ] {
        let mut facts = FileFacts::default();
        facts.path = Some(path);
        facts.name = Some(name);
        assert_eq!(refused("{path}/{name}", facts).len(), 1, "{path} {name}");
    }
}

#[test]
fn a_bad_template_says_why() {
    let refusals = [
        (
            "{nmae}",
            "template field `{nmae}` is unknown; there are {id}, {name}, {path}, {project}, {project.name}, {task} and {metadata.FIELD}",
        ),
        (
            "{name",
            "template `{name` has a single brace; write `{{` or `}}` for a brace itself",
        ),
        (
            "x-{path}/{name}",
            "template field `{path}` can be several folders, so it must stand alone between two `/`",
        ),
        (
            "run1/output.bam",
            "template `run1/output.bam` has no field, so all files would get the same location",
        ),
        ("/{name}", "template `/{name}`: it begins with `/`"),
        (
            "../{name}",
            "template `../{name}`: it has a part `.` or `..`",
        ),
        ("", "template ``: it is empty"),
    ];
    for (template, message) in refusals {
        let error: TemplateError = template.parse::<Template>().expect_err(template);
        assert_eq!(error.to_string(), message);
    }
}
