//! From a selection to a transfer: what would be sent, where to, and what stands against it. Nothing is started here.

mod candidate;
mod companion;
mod count;
mod drafted;
mod error;
mod existing;
mod files;
mod filter;
mod glob;
mod ground;
mod manifest;
mod meet;
mod options;
mod outputs;
mod paths;
mod report;
mod select;
mod settle;
mod sieve;
mod tree;
mod under_way;
mod unplanned;

pub use error::{PlanError, Refusal};
pub(crate) use files::read as read_files;
pub use filter::Filter;
pub use glob::Glob;
pub use options::{Existing, KINDS, PlanOptions, PlanTarget, Policy, PublicAcl, Rows, Selection};
pub use report::{PlanCollision, PlanProgress, PlanReport, PlanSample, PlanWarning};
pub use unplanned::Unplanned;

use std::path::Path;

use cavatica_exports::Cavatica;
use cavatica_exports::transport::Client;
use tracing::{Instrument, info_span};

use crate::journal::{Draft, TransferFile};
use count::count_folders;
use drafted::Drafted;
use ground::{Ground, ground, survey_volume};
use meet::meet;
use sieve::Sieve;
use under_way::under_way;

/// Of the requests that the limit allows, one in so many may be spent on exports that are under way.
const FOR_OTHERS: u64 = 20;

/// Plans a transfer into a new file.
///
/// The file is written as the selection is read, so the memory doesn't grow with the files but for some forty bytes each.
/// If anything stands against the plan, or nothing is selected, there is no file afterwards.
///
/// # Errors
///
/// [`PlanError::Refused`] with everything that stands against the plan at once; else what went wrong on the way.
pub async fn plan(
    path: &Path,
    client: &Client,
    options: PlanOptions,
    progress: &mut (dyn FnMut(PlanProgress) + Send),
) -> Result<PlanReport, PlanError> {
    let span = info_span!("plan", mode = options.mode.as_str());
    write(path, client, options, progress)
        .instrument(span)
        .await
}

async fn write(
    path: &Path,
    client: &Client,
    options: PlanOptions,
    progress: &mut (dyn FnMut(PlanProgress) + Send),
) -> Result<PlanReport, PlanError> {
    let platform = Cavatica::new(client.clone());
    let requests_before = client.budget().sent;
    let Ground {
        terms,
        volume,
        warnings: mut all_warnings,
    } = {
        let seen = survey_volume(&platform, &options.target).await?;
        ground(&options, client.endpoint().to_string(), seen)?
    };
    let affordable = (client.budget().allowance / FOR_OTHERS).max(1);
    let under_way = under_way(&platform, &volume.id, affordable).await?;
    let selection = options.selection.words();
    let (label, now) = (options.label.as_deref(), client.now());
    let draft = Draft::create(path, terms, &selection, label, now)?;
    let mut sieve = Sieve::new(
        draft,
        volume,
        options.layout,
        options.policies,
        options.limit,
        options.metadata,
        progress,
    );
    sieve.public_acl = options.public_acl;
    sieve.under_way = under_way;
    let nothing = select::select(&platform, options.selection, &mut sieve).await?;
    let (mut drafted, volume, warnings) = sieve.finish();
    let twins = meet(&platform, &volume, options.existing, &mut drafted).await?;
    let Drafted {
        mut draft,
        refusal,
        left_out,
    } = drafted;
    if !refusal.is_empty() {
        return Err(PlanError::Refused(Box::new(refusal)));
    }
    let (files, bytes, skipped) = draft.counts();
    if files + skipped == 0 {
        return Err(PlanError::Nothing { why: nothing });
    }
    count_folders(&platform, &mut draft).await?;
    all_warnings.extend(warnings);
    let terms = draft.terms().clone();
    let fingerprint = draft.finish()?;
    let written = TransferFile::open(path)?;
    Ok(PlanReport {
        transfer: path.display().to_string(),
        fingerprint: fingerprint.to_string(),
        mode: terms.mode.as_str(),
        volume: terms.volume.to_string(),
        prefix: terms.prefix.to_string(),
        files,
        bytes,
        skipped: written.skipped_by_kind()?.into_iter().collect(),
        left_out: left_out.into_list(),
        warnings: all_warnings,
        collisions: twins,
        sample: PlanSample::first(&written, &terms)?,
        requests: client.budget().sent - requests_before,
        bucket: terms.bucket,
        volume_prefix: terms.volume_prefix,
    })
}
