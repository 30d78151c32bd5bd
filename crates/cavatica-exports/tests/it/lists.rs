//! Lists of files, volumes and objects.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::time::Duration;

use cavatica_exports::model::file::{FileRef, StoredFile};
use cavatica_exports::model::volume::ServiceType;
use cavatica_exports::model::wire::{Entry, Link, Page};
use cavatica_exports::model::{File, Tri, Volume};
use cavatica_exports::transport::Call;
use cavatica_exports::{Followed, ListError, Pager, Parent};
use cavatica_sandbox::{FaultPlan, ProjectSeed, Quirk, Route, Sandbox, VolumeSeed};
use futures_core::Stream;
use tokio::time::timeout;

use crate::world::World;

fn names(files: &[File]) -> Vec<&str> {
    let mut names: Vec<_> = files
        .iter()
        .filter_map(|file| file.name.value())
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn one_level_at_a_time() {
    let world = World::new().await;
    let top = Parent::Project("sandbox/demo".parse().unwrap());
    let entries = world.files.list(&top).collect().await.unwrap();
    assert!(names(&entries).contains(&"results"));
    assert!(!names(&entries).contains(&"NA12878"));

    let results = world
        .files
        .find(&top, &["results", "nothing of this name"])
        .await
        .unwrap();
    let [results] = results.as_slice() else {
        panic!("{results:?}")
    };
    let below = world
        .files
        .list(&Parent::Folder(results.id.clone()))
        .collect()
        .await
        .unwrap();
    assert_eq!(names(&below), ["NA12878", "NA12891"]);
}

#[tokio::test]
async fn a_path_leads_to_a_file_and_a_file_to_its_folders() {
    let world = World::new().await;
    let look_up = async |text: &str| {
        let file: FileRef = text.parse().unwrap();
        world.files.look_up(&file).await.unwrap()
    };
    let Followed::To(calls) = look_up("sandbox/demo:results/NA12878/calls.vcf").await else {
        panic!("it is there");
    };
    let folders = world.files.folders_of(&calls).await.unwrap();
    assert_eq!(folders.as_deref(), Some("results/NA12878"));
    let Followed::To(by_id) = look_up(calls.id.as_str()).await else {
        panic!("it is there");
    };
    assert_eq!(by_id.name, calls.name);
    let Followed::To(top) = look_up("sandbox/demo:README.txt").await else {
        panic!("it is there");
    };
    assert_eq!(
        world.files.folders_of(&top).await.unwrap().as_deref(),
        Some("")
    );
    for (path, at) in [
        ("sandbox/demo:nowhere/calls.vcf", "nowhere"),
        ("sandbox/demo:results/nobody.vcf", "results/nobody.vcf"),
        // A file is no folder.
        ("sandbox/demo:README.txt/calls.vcf", "README.txt"),
    ] {
        assert_eq!(look_up(path).await, Followed::Lost(at.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn all_pages_of_a_long_list_come_once_by_offset_and_by_scroll() {
    let project = ProjectSeed::new("sandbox/many").synthetic("", 250, 10);
    let world = World::with(
        Sandbox::builder()
            .project(project)
            .volume(VolumeSeed::s3("sandbox/output")),
    )
    .await;
    let top = Parent::Project("sandbox/many".parse().unwrap());

    let mut pager = world.files.list(&top);
    let mut sizes = Vec::new();
    while let Some(page) = pager.next_page().await.unwrap() {
        sizes.push(page.items.len());
    }
    assert_eq!(
        (sizes.as_slice(), pager.total()),
        ([100, 100, 50].as_slice(), Some(250))
    );

    let by_offset = world.files.list(&top).collect().await.unwrap();
    let by_scroll = world.files.scroll(&top, 200).collect().await.unwrap();
    assert_eq!(by_offset.len(), 250);
    assert_eq!(names(&by_offset), names(&by_scroll));

    let stored: Vec<StoredFile> = world.files.scroll(&top, 200).collect().await.unwrap();
    let places = by_offset.iter().map(|file| (&file.id, &file.storage));
    let stored_places = stored.iter().map(|file| (&file.id, &file.storage));
    assert!(places.eq(stored_places));
}

#[tokio::test]
async fn volumes_and_their_objects() {
    let world = World::new().await;
    let volumes = world.volumes.list().collect().await.unwrap();
    let services: Vec<_> = volumes
        .iter()
        .filter_map(|volume| volume.service_type()?.known())
        .collect();
    assert!(services.contains(&ServiceType::S3) && services.contains(&ServiceType::Gcs));

    let output = "sandbox/output".parse().unwrap();
    let top = world
        .volumes
        .list_objects(&output, "")
        .next_page()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        top.prefixes
            .value()
            .map(|prefixes| prefixes[0].prefix.as_str()),
        Some("earlier/")
    );
    let level = world
        .volumes
        .list_objects(&output, "earlier/")
        .next_page()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(level.items[0].location, "earlier/exported.bam");
    assert_eq!(
        world
            .volumes
            .object(&output, "earlier/exported.bam")
            .await
            .unwrap()
            .value
            .location,
        "earlier/exported.bam"
    );
    assert_eq!(
        world
            .volumes
            .object(&output, "nowhere")
            .await
            .unwrap_err()
            .status(),
        Some(404)
    );
}

#[tokio::test]
async fn what_a_member_may_do_with_a_volume() {
    let world = World::with(
        Sandbox::builder()
            .volume(VolumeSeed::s3("sandbox/output"))
            .volume(VolumeSeed::s3("lab/theirs").browse_only()),
    )
    .await;
    let of = async |volume: &str, member| {
        let volume = volume.parse().unwrap();
        let member = world.volumes.member(&volume, member).await;
        member.map(|member| member.value.permissions.into_value().unwrap())
    };
    let own = of("sandbox/output", "sandbox").await.unwrap();
    assert!(!own.forbid_exports());
    let theirs = of("lab/theirs", "sandbox").await.unwrap();
    assert_eq!(
        (theirs.read.value(), theirs.forbid_exports()),
        (Some(&true), true)
    );
    let nobody = of("lab/theirs", "nobody").await.unwrap_err();
    assert!(
        nobody
            .status()
            .is_some_and(|status| (400..500).contains(&status))
    );
    let ledger = world.sandbox.ledger();
    let asked = ledger.requests.keys();
    assert!(
        !asked
            .clone()
            .any(|route| *route == Route::VolumePermissions),
        "no page has that call"
    );

    let theirs = "lab/theirs".parse().unwrap();
    for (member, forbidden) in [("sandbox", true), ("nobody", false), ("lab", false)] {
        let told = world.volumes.forbids_exports(&theirs, member).await;
        assert_eq!(told, forbidden, "{member}");
    }
}

#[tokio::test]
async fn the_account_and_its_limit() {
    let world = World::new().await;
    assert!(
        world
            .account
            .user()
            .await
            .unwrap()
            .value
            .username
            .value()
            .is_some()
    );
    let limit = world.account.rate_limit().await.unwrap().value;
    assert_eq!(
        limit.rate.value().and_then(|rate| rate.limit.value()),
        Some(&1000)
    );
}

/// However the platform tells folders, a walk goes everywhere once and comes to an end.
#[tokio::test]
async fn a_walk_through_a_volume_ends() {
    for quirks in [
        vec![],
        vec![Quirk::SlashedPrefixes],
        vec![Quirk::FolderInItself],
        vec![Quirk::FolderInItself, Quirk::SlashedPrefixes],
    ] {
        let volume = VolumeSeed::s3("lab/v")
            .object("a", "a")
            .object("x/b", "b")
            .object("x/y/c", "c");
        let builder = quirks
            .iter()
            .fold(Sandbox::builder().volume(volume), |builder, quirk| {
                builder.quirk(*quirk)
            });
        let world = World::with(builder).await;
        let mut walk = world.volumes.walk(&"lab/v".parse().unwrap(), "");
        let mut found = Vec::new();
        while let Some(page) = walk.next_page().await.unwrap() {
            found.extend(page.items.iter().map(|object| object.location.clone()));
            for folder in page.folders() {
                walk.enter(folder);
            }
        }
        found.sort();
        assert_eq!(found, ["a", "x/b", "x/y/c"], "{quirks:?}");
    }
}

#[tokio::test]
async fn a_walk_through_a_project_shows_every_path_whether_large_pages_are_had_or_not() {
    for faults in [
        "",
        "refuse=403/1001@scroll",
        "refuse=403/1001@folder-scroll",
    ] {
        let world = World::new().await;
        world
            .sandbox
            .set_faults(faults.parse::<FaultPlan>().unwrap());
        let project = Parent::Project("sandbox/demo".parse().unwrap());
        let mut walk = world.files.walk(project, "");
        let mut paths = BTreeSet::new();
        while let Some(page) = walk.next_page().await.unwrap() {
            for entry in &page.entries {
                let Entry::Read(file) = entry else {
                    panic!("{entry:?}")
                };
                paths.insert(page.path_of(file));
            }
        }
        for path in ["README.txt", "results", "results/NA12878/calls.vcf"] {
            assert!(paths.contains(path), "{faults}: {paths:?}");
        }
    }
}

/// Lists whose pages are led in a circle by their own links: to the page before, or to themselves.
#[tokio::test]
async fn a_list_that_leads_in_a_circle_gives_its_items_and_an_error() {
    let world = World::new().await;
    for (after_first, after_second) in [(1, 0), (0, 0)] {
        let endpoint = world.client.endpoint().to_string();
        let page = move |text: &str| {
            let mut real: Page<Volume> = serde_json::from_str(text)?;
            let href = real.href.value();
            let is_second = href.is_some_and(|href| href.contains("offset=1"));
            let next = if is_second { after_second } else { after_first };
            let mut link = Link::default();
            link.href = Tri::Value(format!("{endpoint}/storage/volumes?limit=1&offset={next}"));
            link.rel = Tri::Value("next".to_owned());
            real.links = Tri::Value(vec![link]);
            Ok(real)
        };
        let first = Call::get("/storage/volumes").query("limit", 1);
        let mut pager = Pager::read_by(world.client.clone(), first, page);
        let mut items = 0;
        let error = loop {
            match pager.next_page().await {
                Ok(page) => items += page.expect("it has no end").items.len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ListError::Endless { .. }), "{error}");
        // That it was the first page only its link tells, and that was not known before.
        assert_eq!(items, 2 + after_first, "and the first's again");
        let again = pager.next_page().await;
        assert!(matches!(again, Err(ListError::Endless { .. })));
    }
}

#[tokio::test]
async fn a_list_goes_on_though_its_futures_are_dropped_and_is_a_stream() {
    let project = ProjectSeed::new("sandbox/many").synthetic("", 250, 10);
    let world = World::with(
        Sandbox::builder()
            .project(project)
            .volume(VolumeSeed::s3("sandbox/output")),
    )
    .await;
    let top = Parent::Project("sandbox/many".parse().unwrap());
    let before = world.sandbox.ledger().requests_to(Route::Files);
    let mut pager = world.files.list(&top);
    let mut sizes = Vec::new();
    loop {
        match timeout(Duration::from_millis(1), pager.next_page()).await {
            Err(_) => {}
            Ok(page) => match page.unwrap() {
                Some(page) => sizes.push(page.items.len()),
                None => break,
            },
        }
    }
    assert_eq!(sizes, [100, 100, 50]);
    let asked = world.sandbox.ledger().requests_to(Route::Files) - before;
    assert_eq!(asked, 3, "no page is asked for twice");

    let mut stream = std::pin::pin!(world.files.list(&top));
    let mut sizes = Vec::new();
    while let Some(page) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        sizes.push(page.unwrap().items.len());
    }
    assert_eq!(sizes, [100, 100, 50]);
}
