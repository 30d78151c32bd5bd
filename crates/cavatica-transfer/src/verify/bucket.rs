//! A listing of S3 itself.

use std::collections::VecDeque;
use std::sync::Arc;

use cavatica_exports::model::volume::key_beginnings;
use cavatica_s3::{Bucket, Listing};
use tokio::task::JoinSet;

use super::compare::{Encryption, ListedObject};
use super::listing::{ListingError, ObjectPage};
use crate::journal::Terms;
use crate::observe::Habits;

/// How many objects S3 is asked about at the same time.
const HEADS_AT_ONCE: usize = 32;

/// What stands in the bucket before the locations: of what may stand there, the expected one unless only another has
/// anything below it.
///
/// # Errors
///
/// If the bucket can't be listed.
pub async fn find_beginning(bucket: &Bucket, terms: &Terms) -> Result<String, ListingError> {
    let beginnings = key_beginnings(&terms.volume_prefix);
    let doubted = if beginnings.len() > 1 {
        &*beginnings
    } else {
        &[]
    };
    for beginning in doubted {
        let below = format!("{beginning}{}", terms.prefix);
        let page = bucket.list(&below).page_size(1).next().await?;
        if page.is_some_and(|page| !page.objects.is_empty()) {
            return Ok(beginning.clone());
        }
    }
    Ok(beginnings.into_iter().next().unwrap_or_default())
}

/// Lists a folder.
pub(super) fn list<'a>(bucket: &'a Bucket, prefix: &str, folder: &str) -> Listing<'a> {
    let listing = bucket.list(&format!("{prefix}{folder}"));
    // All below a folder comes in one listing. Only the volume's top level is read on its own: other people's folders may
    // lie there.
    if folder.is_empty() {
        listing.one_level()
    } else {
        listing
    }
}

/// Asks how the chosen objects are encrypted, one request for each.
pub(super) async fn ask_encryption(
    bucket: &Arc<Bucket>,
    prefix: &str,
    objects: &mut [ListedObject],
    chosen: &[bool],
) {
    let chosen = chosen.iter().enumerate().filter(|(_, chosen)| **chosen);
    let mut waiting: VecDeque<usize> = chosen.map(|(position, _)| position).collect();
    let mut asked = JoinSet::new();
    loop {
        while asked.len() < HEADS_AT_ONCE
            && let Some(position) = waiting.pop_front()
        {
            let bucket = Arc::clone(bucket);
            let key = format!("{prefix}{}", objects[position].location);
            asked.spawn(async move { (position, bucket.head(&key).await) });
        }
        let Some(answer) = asked.join_next().await else {
            return;
        };
        let (position, answer) = answer.expect("asking doesn't panic and isn't given up");
        objects[position].encryption = Some(match answer {
            Ok(Some(head)) => Encryption::Told {
                algorithm: head.encryption,
                kms_key: head.kms_key_id,
            },
            Ok(None) => Encryption::Untold("it was gone a moment after it was listed".into()),
            Err(error) => Encryption::Untold(error.to_string()),
        });
    }
}

/// A page with locations in place of keys.
pub(super) fn page(page: cavatica_s3::ObjectPage, prefix: &str) -> ObjectPage {
    let relative = |key: String| key.strip_prefix(prefix).map(str::to_owned);
    let object = |object: cavatica_s3::Object| {
        Some(ListedObject {
            location: relative(object.key)?,
            size: Some(object.size),
            etag: object.etag,
            storage_class: object.storage_class,
            encryption: None,
        })
    };
    ObjectPage {
        objects: page.objects.into_iter().filter_map(object).collect(),
        folders: page.folders.into_iter().filter_map(relative).collect(),
        seen: Habits::default(),
    }
}
