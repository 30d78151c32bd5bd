//! What the names of columns and keys could mean.
//!
//! A column that means nothing is passed over, and with it what its author asked for: files would go unencrypted, to other
//! keys, or over other objects. So a name is judged by its meaning, however it is spelt. Letter case, separators and
//! characters that nobody sees don't count. Our own names are taken; a name that could ask for the same thing in another
//! program's words is refused, with the name to use instead.

use unicode_normalization::UnicodeNormalization;

use super::column::Column;
use crate::visible::is_invisible;

/// What a name of a column or key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One of ours.
    Column(Column),
    /// It could ask for something, and mustn't be passed over.
    Wish(Wish),
    /// Nothing that matters here.
    Nothing,
}

/// Something that a name could ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// What, in words.
    pub(super) asks: &'static str,
    /// How to ask for it here.
    pub(super) instead: &'static str,
}

const ENCRYPTION: Wish = Wish {
    asks: "encryption",
    instead: "name the column `sse_algorithm`",
};
const KEY: Wish = Wish {
    asks: "an encryption key",
    instead: "name the column `sse_aws_kms_key_id`",
};
const OTHER_ENCRYPTION: Wish = Wish {
    asks: "encryption that an export can't have",
    instead: "leave the column out: an export takes `sse_algorithm` and `sse_aws_kms_key_id`",
};
const ACL: Wish = Wish {
    asks: "an ACL",
    instead: "name the column `aws_canned_acl`",
};
const STORAGE_CLASS: Wish = Wish {
    asks: "a storage class",
    instead: "name the column `aws_storage_class`",
};
const OVERWRITE: Wish = Wish {
    asks: "overwriting",
    instead: "name the column `overwrite`, with `true` or `false`",
};
const DESTINATION: Wish = Wish {
    asks: "a destination",
    instead: "name the column `location`, or leave it out if it tells where the file comes from",
};
const VOLUME: Wish = Wish {
    asks: "a volume or bucket",
    instead: "leave the column out: all files of a plan go to one volume, and `location` is the key on it",
};
const PREFIX: Wish = Wish {
    asks: "a prefix",
    instead: "leave the column out, and write whole keys into `location`; `--prefix` goes before all of them",
};
const PROPERTIES: Wish = Wish {
    asks: "properties of the objects",
    instead: "give each a column of its own: `sse_algorithm`, `sse_aws_kms_key_id`, `aws_canned_acl`, `aws_storage_class`",
};
const MODE: Wish = Wish {
    asks: "copying or moving",
    instead: "leave the column out: `--copy` or `--move` holds for all files of a plan",
};
const HEADER: Wish = Wish {
    asks: "something of S3 that an export can't have",
    instead: "leave the column out",
};

/// Our own names, without separators and in small letters, and others that are as clear. What CAVATICA calls a property
/// is documented at <https://docs.cavatica.org/reference/start-an-export-job>; `storage.*` and `origin.task` are what a
/// file's details become in a table.
const NAMES: &[(&str, Column)] = &[
    ("fileid", Column::Id),
    ("id", Column::Id),
    ("file", Column::Id),
    ("name", Column::Name),
    ("filename", Column::Name),
    ("path", Column::Path),
    ("filepath", Column::Path),
    ("folder", Column::Folder),
    ("folders", Column::Folder),
    ("folderpath", Column::Folder),
    ("project", Column::Project),
    ("projectid", Column::Project),
    ("task", Column::Task),
    ("taskid", Column::Task),
    ("origintask", Column::Task),
    ("location", Column::Location),
    ("destination", Column::Location),
    ("key", Column::Location),
    ("overwrite", Column::Overwrite),
    ("ssealgorithm", Column::SseAlgorithm),
    ("sseawskmskeyid", Column::KmsKey),
    ("kmskeyid", Column::KmsKey),
    ("awscannedacl", Column::CannedAcl),
    ("cannedacl", Column::CannedAcl),
    ("awsstorageclass", Column::StorageClass),
    ("storageclass", Column::StorageClass),
    // Lists that a program in the field writes: where an alias lies, `None` for a file that is none.
    ("bucketwherealiased", Column::AliasBucket),
    ("locationonbucket", Column::AliasLocation),
    ("storagevolume", Column::AliasBucket),
    ("storagelocation", Column::AliasLocation),
];

/// Names that other programs have for the same things, where no rule below finds them.
///
/// S3's own headers: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>; its SDKs:
/// <https://docs.aws.amazon.com/boto3/latest/reference/services/s3/client/put_object.html>; `aws s3 cp`:
/// <https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html>; rclone: <https://rclone.org/flags/>; s5cmd:
/// <https://github.com/peak/s5cmd>; Google's `predefinedAcl`: <https://cloud.google.com/storage/docs/json_api/v1/objects/insert>.
const OTHERS: &[(&str, Wish)] = &[
    ("properties", PROPERTIES),
    ("exportproperties", PROPERTIES),
    ("s3properties", PROPERTIES),
    ("extraargs", PROPERTIES),
    ("copyonly", MODE),
    ("copy", MODE),
    ("move", MODE),
    ("exportmode", MODE),
    ("copymode", MODE),
    ("keepsource", MODE),
    ("deletesource", MODE),
    ("removesource", MODE),
    ("grants", ACL),
    ("grantread", ACL),
    ("grantwrite", ACL),
    ("grantreadacp", ACL),
    ("grantwriteacp", ACL),
    ("grantfullcontrol", ACL),
    ("predefinedacl", ACL),
    ("publicread", ACL),
    ("makepublic", ACL),
    ("glacier", STORAGE_CLASS),
    ("bucketkeyenabled", OTHER_ENCRYPTION),
    ("replace", OVERWRITE),
    ("replaceexisting", OVERWRITE),
    ("existing", OVERWRITE),
    ("ignoreexisting", OVERWRITE),
    ("skipexisting", OVERWRITE),
    ("ifexists", OVERWRITE),
    ("ifnonematch", OVERWRITE),
    ("onconflict", OVERWRITE),
    ("ifsizediffer", OVERWRITE),
    ("ifsourcenewer", OVERWRITE),
    ("force", OVERWRITE),
    ("rename", DESTINATION),
    ("keyname", DESTINATION),
    ("copyto", DESTINATION),
    ("moveto", DESTINATION),
    ("exportto", DESTINATION),
    ("uploadto", DESTINATION),
    ("renameto", DESTINATION),
];

/// Words that tell where something goes, and those that tell what is there: a name made of nothing but these could be the
/// destination, whether it is written `dest_key`, `DestKey` or `destkey`.
const WHERE_TO: &[&str] = &[
    "dest",
    "destination",
    "dst",
    "target",
    "to",
    "new",
    "out",
    "output",
    "export",
    "exported",
    "upload",
    "remote",
    "final",
    "s3",
    "aws",
    "object",
    "copy",
    "move",
];
const PLACES: &[&str] = &[
    "key",
    "path",
    "location",
    "name",
    "filename",
    "filepath",
    "keyname",
    "uri",
    "url",
    "folder",
    "dir",
    "directory",
];
/// Of these, the words that are enough by themselves.
const ENOUGH: &[&str] = &["dest", "destination", "dst", "target", "targets", "to"];

/// Names that are sometimes written with a slip: how many slips still count, and what was probably meant. The shorter the
/// name, the sooner a slip makes another word of it: `rotation`, `ligation`.
const SLIPS: &[(&str, usize, Wish)] = &[
    ("ssealgorithm", 2, ENCRYPTION),
    ("encryption", 2, ENCRYPTION),
    ("sseawskmskeyid", 2, KEY),
    ("kmskeyid", 2, KEY),
    ("awscannedacl", 2, ACL),
    ("cannedacl", 2, ACL),
    ("awsstorageclass", 2, STORAGE_CLASS),
    ("storageclass", 2, STORAGE_CLASS),
    ("overwrite", 2, OVERWRITE),
    ("destination", 1, DESTINATION),
    ("location", 1, DESTINATION),
    ("target", 1, DESTINATION),
];

/// What the name of a column or key means.
pub(super) fn meaning(name: &str) -> Meaning {
    let seen: String = name
        .nfkc()
        .filter(|letter| !is_invisible(*letter))
        .collect();
    let seen = seen.trim();
    if let Some(field) = metadata_field(seen) {
        return Meaning::Column(Column::Metadata(field.to_owned()));
    }
    let words = words(seen);
    let folded = words.concat();
    if let Some((_, column)) = NAMES.iter().find(|(name, _)| *name == folded) {
        return Meaning::Column(column.clone());
    }
    let wish = OTHERS
        .iter()
        .find(|(name, _)| *name == folded)
        .map(|(_, wish)| *wish)
        .or_else(|| asks_s3(&folded, &words))
        .or_else(|| overwrites(&folded))
        .or_else(|| leads_elsewhere(&folded))
        .or_else(|| slip(&folded));
    wish.map_or(Meaning::Nothing, Meaning::Wish)
}

/// The field of `metadata.FIELD`, which may be called anything.
fn metadata_field(name: &str) -> Option<&str> {
    const BEGIN: &str = "metadata.";
    let begin = name.get(..BEGIN.len())?;
    let field = &name[BEGIN.len()..];
    (begin.eq_ignore_ascii_case(BEGIN) && !field.is_empty()).then_some(field)
}

/// The words of a name in small letters, whatever stands between them; `SSEKMSKeyId` is `ssekms`, `key` and `id`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_uppercase()
                        && letters
                            .get(at + 1)
                            .is_some_and(|after| after.is_lowercase())
            });
        if begins || !letter.is_alphanumeric() {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Encryption, keys, ACLs and storage classes in the words of S3 and of programs that talk to it: `SSE`, `KMS Key`,
/// `ServerSideEncryption`, `SSEKMSKeyId`, `x-amz-server-side-encryption`, `--sse-kms-key-id`, `server_side_encryption`,
/// `CMK`, `x-amz-acl`, `object acl`, `storage tier`.
fn asks_s3(folded: &str, words: &[String]) -> Option<Wish> {
    let has = |part: &str| folded.contains(part);
    let bare = ["xamz", "amz", "aws", "s3", "default", "use", "object"]
        .iter()
        .find_map(|owner| folded.strip_prefix(owner))
        .unwrap_or(folded);
    let is_sse = |word: &str| word.starts_with("sse") || word == "cmk";
    if is_sse(bare) || words.iter().any(|word| is_sse(word)) || has("encrypt") || has("kms") {
        let other = ["customer", "context", "bucketkey", "ssec"];
        return Some(if other.iter().any(|other| has(other)) {
            OTHER_ENCRYPTION
        } else if ["key", "cmk", "arn"].iter().any(|key| has(key)) || has("kms") && has("id") {
            KEY
        } else {
            ENCRYPTION
        });
    }
    let is_acl = |word: &str| ["acl", "acls", "cannedacl"].contains(&word);
    if is_acl(bare) || words.iter().any(|word| is_acl(word)) {
        return Some(ACL);
    }
    if has("storageclass") || has("storagetier") || bare == "class" && bare != folded {
        return Some(STORAGE_CLASS);
    }
    folded.starts_with("xamz").then_some(HEADER)
}

fn overwrites(folded: &str) -> Option<Wish> {
    (folded.contains("overwrit") || folded.contains("clobber")).then_some(OVERWRITE)
}

/// Names that are made of nothing but words about where something goes.
fn leads_elsewhere(folded: &str) -> Option<Wish> {
    if folded.is_empty() {
        return None;
    }
    let made_of = |sets: &[&[&str]]| {
        is_made_of(folded, &|text| {
            let known = sets.iter().flat_map(|set| set.iter());
            known.filter_map(|word| text.strip_prefix(*word)).collect()
        })
    };
    let containers: &[&str] = &["bucket", "volume"];
    let rest: &[&str] = &["id", "name", "s"];
    // A volume alone may be one of blood.
    let is_container = folded != "volume" && containers.iter().any(|word| folded.contains(word));
    if is_container && made_of(&[WHERE_TO, containers, rest]) {
        return Some(VOLUME);
    }
    if folded.contains("prefix") && made_of(&[WHERE_TO, PLACES, containers, &["prefix"]]) {
        return Some(PREFIX);
    }
    // Places alone are ours, and known before: `name`, `path`.
    let is_place = made_of(&[WHERE_TO, PLACES, containers])
        && !made_of(&[PLACES])
        && !made_of(&[WHERE_TO, containers]);
    (is_place || ENOUGH.contains(&folded)).then_some(DESTINATION)
}

/// Whether a text can be cut into known words. `behind` gives what is left behind each word that it begins with.
fn is_made_of<'t>(text: &'t str, behind: &dyn Fn(&'t str) -> Vec<&'t str>) -> bool {
    text.is_empty()
        || behind(text)
            .into_iter()
            .any(|rest| is_made_of(rest, behind))
}

fn slip(folded: &str) -> Option<Wish> {
    let near = SLIPS
        .iter()
        .find(|(name, most, _)| slips(folded.as_bytes(), name.as_bytes()) <= *most);
    near.map(|(.., wish)| *wish)
}

/// How many letters were added, left out or mistaken, or changed places with their neighbour.
fn slips(one: &[u8], other: &[u8]) -> usize {
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (row, letter) in one.iter().enumerate() {
        let above = &rows[row];
        let mut left = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let changed = above[column] + usize::from(letter != wanted);
            let mut fewest = changed.min(above[column + 1] + 1).min(left[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted {
                fewest = fewest.min(rows[row - 1][column - 1] + 1);
            }
            left.push(fewest);
        }
        rows.push(left);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests;
