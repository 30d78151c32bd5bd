//! What is known before the first file is looked at: the volume, and whether it takes what is asked for.

use cavatica_exports::Cavatica;
use cavatica_exports::model::Volume;
use cavatica_exports::model::finding::{Findings, Warning};

use super::error::PlanError;
use super::options::{Existing, PlanOptions, PlanTarget};
use super::report::PlanWarning;
use crate::journal::{Overwrite, Terms};

/// What is known before the first file is looked at.
pub(super) struct Ground {
    pub(super) terms: Terms,
    pub(super) volume: Volume,
    pub(super) warnings: Vec<PlanWarning>,
}

/// The volume, and what is known of it.
pub(super) struct SurveyedVolume {
    account: String,
    volume: Volume,
    findings: Findings,
}

/// Finds out whether the volume takes exports of this account.
pub(super) async fn survey_volume(
    platform: &Cavatica,
    target: &PlanTarget,
) -> Result<SurveyedVolume, PlanError> {
    let user = platform.account.user().await.map_err(PlanError::Call)?;
    let account = user.value.username.into_value().unwrap_or_default();
    let volume = find_volume(platform, target).await?;
    let mut findings = volume.export_findings();
    if !findings.objections.is_empty() {
        return Err(PlanError::Volume {
            volume: volume.id,
            objections: findings.objections,
        });
    }
    if platform.volumes.forbids_exports(&volume.id, &account).await {
        findings.warnings.push(Warning::NoWritePermission);
    }
    Ok(SurveyedVolume {
        account,
        volume,
        findings,
    })
}

/// Finds out whether the volume takes what is asked for.
pub(super) fn ground(
    options: &PlanOptions,
    endpoint: String,
    seen: SurveyedVolume,
) -> Result<Ground, PlanError> {
    let SurveyedVolume {
        account,
        volume,
        findings,
    } = seen;
    let asked = options.properties.value().cloned().unwrap_or_default();
    let of_properties = asked.findings_on(&volume);
    if !of_properties.objections.is_empty() {
        return Err(PlanError::Properties {
            objections: of_properties.objections,
        });
    }
    let terms = Terms {
        endpoint,
        account,
        mode: options.mode,
        volume: volume.id.clone(),
        bucket: volume.bucket().map(str::to_owned),
        volume_prefix: volume.prefix().to_owned(),
        prefix: options.layout.prefix.clone(),
        overwrite: match options.existing {
            Existing::Overwrite => Overwrite::Allowed,
            Existing::Fail | Existing::Skip => Overwrite::Forbidden,
        },
        properties: options.properties.clone(),
    };
    let warnings = findings.warnings.iter().chain(&of_properties.warnings);
    let warnings = warnings.map(|warning| PlanWarning {
        name: warning.name(),
        message: warning.to_string(),
        remedy: warning.advice(),
        files: 0,
    });
    Ok(Ground {
        warnings: warnings.collect(),
        terms,
        volume,
    })
}

async fn find_volume(platform: &Cavatica, target: &PlanTarget) -> Result<Volume, PlanError> {
    let bucket = match target {
        PlanTarget::Volume(id) => {
            let volume = platform.volumes.get(id).await.map_err(PlanError::Call)?;
            return Ok(volume.value);
        }
        PlanTarget::Bucket(bucket) => bucket,
    };
    let mut pager = platform.volumes.list();
    let mut found = Vec::new();
    while let Some(page) = pager.next_page().await.map_err(PlanError::List)? {
        found.extend(
            page.items
                .into_iter()
                .filter(|volume| volume.bucket() == Some(bucket)),
        );
    }
    // Several volumes may stand for one bucket, with different prefixes or rights; which is meant only the user knows.
    match found.len() {
        0 => Err(PlanError::NoVolume {
            bucket: bucket.clone(),
        }),
        1 => Ok(found.remove(0)),
        _ => Err(PlanError::ManyVolumes {
            bucket: bucket.clone(),
            volumes: found.into_iter().map(|volume| volume.id).collect(),
        }),
    }
}
