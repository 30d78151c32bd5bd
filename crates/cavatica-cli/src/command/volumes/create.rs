//! `cavatica volumes create` and `set`: how a bucket is mounted.

use cavatica_exports::Cavatica;
use cavatica_exports::model::mount::{BucketPlace, IamPolicy, NewVolume, VolumeChange};
use cavatica_exports::model::{ExportProperties, Tri, Volume};
use cavatica_exports::transport::{self, Outcome};

use super::keys;
use super::told::{changed, summary, tell};
use crate::args::{CreateVolume, Service, SetVolume};
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

/// Prints the policy that the bucket has to allow; nothing is sent.
pub(super) fn policy(args: &CreateVolume, ui: &Ui) -> Result<Exit, Failure> {
    if args.service != Service::S3 {
        return Err(Failure::usage(
            "only buckets on Amazon S3 have IAM policies",
        ));
    }
    let policy = IamPolicy::new(&args.bucket, &args.prefix, args.access_mode);
    if ui.is_json() {
        ui.json(&policy)?;
    } else {
        let text = serde_json::to_string_pretty(&policy).expect("a policy is plain data");
        ui.text(&format!("{text}\n"))?;
    }
    ui.note("give this policy to the IAM user or role, then the same command without --policy");
    Ok(Exit::Done)
}

pub(super) async fn create(args: &CreateVolume, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let (place, keys) = (place(args)?, keys::found(&args.keys)?);
    let mut new = NewVolume::new(args.name.clone(), args.access_mode, place, keys);
    new.description = args.description.clone();
    new.prefix = args.prefix.clone();
    new.properties = args.properties.chosen()?.unwrap_or_default();
    let volume = match api.volumes.create(&new).await {
        Ok(made) => made.value,
        Err(error) => match look_for(&error, &new, api).await {
            Some(volume) => {
                ui.note("the platform's answer was lost; the volume was looked for and is there, it was not made twice");
                volume
            }
            None => return Err(not_made(error, &new, api).await),
        },
    };
    warn_of_neighbours(&volume, api, ui).await;
    tell(&volume, ui)
}

/// The volume whose answer was lost, if it is there. Others' volumes are listed too, and may have the same name and bucket.
async fn look_for(error: &transport::Error, new: &NewVolume, api: &Cavatica) -> Option<Volume> {
    if *error.outcome() != Outcome::Unknown {
        return None;
    }
    let user = api.account.user().await.ok()?.value;
    let owner = user.username.into_value()?;
    let volumes = api.volumes.list().collect().await.ok()?;
    volumes.into_iter().find(|volume| {
        volume.id.owner() == owner
            && volume.id.name() == new.name.as_str()
            && volume.bucket() == Some(new.place.bucket())
    })
}

/// A name that is taken may be the volume that was wanted; it is shown, to be compared.
async fn not_made(error: transport::Error, new: &NewVolume, api: &Cavatica) -> Failure {
    let code = error.api_error().and_then(|error| error.code());
    let look =
        "`cavatica volumes list` shows whether it is there; if not, give the same command again";
    let failure = changed(error, "the volume was made", look);
    if code != Some(9010) {
        return failure;
    }
    let failure = Failure {
        exit: Exit::Refused,
        ..failure
    };
    let volumes = api.volumes.list().collect().await.unwrap_or_default();
    let taken = volumes
        .iter()
        .find(|volume| volume.id.name() == new.name.as_str());
    match taken {
        Some(volume) => failure.hint(format!("it is there: {}  {}", volume.id, summary(volume))),
        None => failure,
    }
}

/// Two volumes on one bucket can write to the same keys. The volume is made, whatever the list says.
async fn warn_of_neighbours(volume: &Volume, api: &Cavatica, ui: &Ui) {
    let Ok(others) = api.volumes.list().collect().await else {
        ui.warn("whether another volume has the same bucket couldn't be seen; `cavatica volumes list` shows it");
        return;
    };
    for other in others {
        if other.id != volume.id && other.may_share_keys(volume) {
            ui.warn(format_args!(
                "volume {} has the same bucket, and exports to the two may meet at the same keys; \
                 the platform may also refuse to write to a bucket that is mounted twice (9002)",
                other.id
            ));
        }
    }
}

fn place(args: &CreateVolume) -> Result<BucketPlace, Failure> {
    let (bucket, endpoint) = (args.bucket.clone(), args.service_endpoint.clone());
    Ok(match args.service {
        Service::S3 => BucketPlace::S3 { bucket, endpoint },
        Service::Gcs => BucketPlace::Google { bucket },
        Service::Azure => BucketPlace::Azure {
            storage_account: args.storage_account.clone().unwrap_or_default(),
            container: bucket,
            endpoint,
            resource_id: args.resource_id.clone(),
        },
        Service::Oss => BucketPlace::Oss {
            bucket,
            endpoint: endpoint.ok_or_else(|| {
                Failure::usage("a bucket on Alibaba Cloud needs its --service-endpoint")
            })?,
        },
    })
}

pub(super) async fn set(args: &SetVolume, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let volume = api.volumes.get(&args.volume).await?.value;
    let mode = args.access_mode;
    let description = args.description.as_ref();
    let service = volume.service.value();
    let defaults = service.and_then(|service| service.properties.value());
    let mut change = VolumeChange::default();
    change.access_mode = mode.filter(|mode| !volume.access_mode().is_some_and(|now| now.is(*mode)));
    change.description = description
        .filter(|text| volume.description.value() != Some(*text))
        .cloned();
    change.credentials = keys::named(&args.keys)?;
    let asked = args.properties.chosen()?.unwrap_or_default();
    // All or none of them: the platform may replace all where one is changed.
    if change.credentials.is_some() || !differing(asked.clone(), defaults).is_empty() {
        change.properties = asked;
    }
    if change.is_empty() {
        ui.note(format_args!(
            "{} is that way already; nothing was sent",
            volume.id
        ));
        return Ok(Exit::NothingToDo);
    }
    let look = format!("`cavatica volumes get {}` shows how it stands", volume.id);
    let changed_volume = api.volumes.change(&volume.id, &change).await;
    let changed_volume =
        changed_volume.map_err(|error| changed(error, "the volume was changed", &look))?;
    let wanted = change.properties.or(&defaults.cloned().unwrap_or_default());
    warn_of_lost_defaults(wanted, &changed_volume.value, ui);
    tell(&changed_volume.value, ui)
}

/// Nobody documents whether a change of one default leaves the others alone.
fn warn_of_lost_defaults(wanted: ExportProperties, volume: &Volume, ui: &Ui) {
    let service = volume.service.value();
    let Some(now) = service.and_then(|service| service.properties.value()) else {
        return;
    };
    let lost = differing(wanted, Some(now));
    let lost = [
        ("--sse-algorithm", lost.sse_algorithm.value().is_some()),
        ("--kms-key-id", lost.sse_aws_kms_key_id.value().is_some()),
        ("--canned-acl", lost.aws_canned_acl.value().is_some()),
        ("--storage-class", lost.aws_storage_class.value().is_some()),
    ];
    let options = lost.iter().filter(|(_, is_lost)| *is_lost);
    let options: Vec<&str> = options.map(|(option, _)| *option).collect();
    if !options.is_empty() {
        ui.warn(format_args!(
            "the volume has lost defaults that were to stay: the platform replaces them all where one is changed. \
             Give the command again with {} as well",
            options.join(", ")
        ));
    }
}

/// Of the properties that are asked for, those that the volume doesn't have yet.
fn differing(mut asked: ExportProperties, now: Option<&ExportProperties>) -> ExportProperties {
    fn leave_out<T: PartialEq>(asked: &mut Tri<T>, now: &Tri<T>) {
        if now == asked {
            *asked = Tri::Absent;
        }
    }
    if let Some(now) = now {
        leave_out(&mut asked.sse_algorithm, &now.sse_algorithm);
        leave_out(&mut asked.sse_aws_kms_key_id, &now.sse_aws_kms_key_id);
        leave_out(&mut asked.aws_canned_acl, &now.aws_canned_acl);
        leave_out(&mut asked.aws_storage_class, &now.aws_storage_class);
    }
    asked
}
