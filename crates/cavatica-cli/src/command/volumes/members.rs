//! `cavatica volumes members`: who may do what with a volume.

use cavatica_exports::Cavatica;
use cavatica_exports::model::VolumeId;
use cavatica_exports::model::volume::{Member, VolumePermissions};
use serde_json::json;

use super::told::changed;
use crate::args::{MemberAction, Permission};
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

pub(super) async fn list(id: &VolumeId, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    for member in api.volumes.members(id).collect().await? {
        show(&member, ui)?;
    }
    Ok(Exit::Done)
}

pub(super) async fn change(
    id: &VolumeId,
    (action, user): (MemberAction, &str),
    may: &[Permission],
    api: &Cavatica,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let look = format!("`cavatica volumes members {id}` shows who is one");
    let may = |permission| may.contains(&permission);
    let permissions = VolumePermissions::exactly(
        may(Permission::Read),
        may(Permission::Copy),
        may(Permission::Write),
        may(Permission::Admin),
    );
    match action {
        MemberAction::Add => {
            let added = api.volumes.add_member(id, user, &permissions).await;
            let added = added.map_err(|error| changed(error, "the member was added", &look))?;
            show(&added.value, ui)?;
        }
        MemberAction::Set => {
            let set = api.volumes.set_member(id, user, &permissions).await;
            let set = set.map_err(|error| changed(error, "the member was changed", &look))?;
            let mut member = Member::default();
            member.username = user.to_owned();
            member.permissions = set.value.into();
            show(&member, ui)?;
        }
        MemberAction::Remove => {
            let removed = api.volumes.remove_member(id, user).await;
            removed.map_err(|error| changed(error, "the member was removed", &look))?;
            if ui.is_json() {
                ui.json(&json!({"removed": user}))?;
            } else {
                ui.line(format_args!("{} is no member of {id} any more", user))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn show(member: &Member, ui: &Ui) -> Result<(), Failure> {
    if ui.is_json() {
        ui.json(member)?;
        return Ok(());
    }
    let permissions = member.permissions.value();
    let may = |name: &'static str, of: fn(&VolumePermissions) -> Option<&bool>| {
        permissions
            .and_then(of)
            .is_some_and(|may| *may)
            .then_some(name)
    };
    let may: Vec<_> = [
        may("read", |all| all.read.value()),
        may("copy", |all| all.copy.value()),
        may("write", |all| all.write.value()),
        may("admin", |all| all.admin.value()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let may = match (permissions, may.is_empty()) {
        (None, _) => "the platform doesn't say what".to_owned(),
        (Some(_), true) => "nothing".to_owned(),
        (Some(_), false) => may.join(", "),
    };
    ui.line(format_args!("{}  may {may}", member.username))?;
    Ok(())
}
