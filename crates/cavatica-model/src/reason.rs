//! Every name that the program prints of a file, a row, a transfer or a run, with what it means and what to do.

use serde::Serialize;

/// What kind of thing a [`Reason`] speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// An export must not be sent.
    Objection,
    /// One should look twice.
    Warning,
    /// A row of a manifest can't be exported as it stands.
    Manifest,
    /// A plan leaves the file out, or is refused because of it.
    Plan,
    /// What became of a file or a transfer, or what a look at the destination saw.
    Standing,
    /// What the account's list of jobs says otherwise than the journal.
    Audit,
    /// What an error says about trying again.
    Class,
    /// What a run met, or why it ended.
    Run,
}

impl Kind {
    /// The kind in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Kind::Objection => "objection: the export is not sent",
            Kind::Warning => "warning: the export is sent all the same",
            Kind::Manifest => "bad row: it is not exported",
            Kind::Plan => "plan: the file is left out, or the plan refused",
            Kind::Standing => "how a file or a transfer stands",
            Kind::Audit => "audit: the platform's list and the journal disagree",
            Kind::Class => "class of failures",
            Kind::Run => "what a run met, or why it ended",
        }
    }
}

/// A stable name with what it means and what to do, whatever the file, volume or row.
///
/// ```
/// use cavatica_model::finding::{Kind, Reason};
///
/// let alias = Reason::lookup("alias").expect("objections have reasons");
/// assert_eq!(alias.kind, Kind::Objection);
/// assert!(alias.meaning.contains("lie on a volume already"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// The name; it doesn't change.
    pub name: &'static str,
    /// What it speaks against.
    pub kind: Kind,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl Reason {
    /// The reason of this name.
    pub fn lookup(name: &str) -> Option<&'static Reason> {
        Self::all()
            .iter()
            .copied()
            .find(|reason| reason.name == name)
    }

    /// Every reason, in the order of their kinds.
    pub fn all() -> &'static [&'static Reason] {
        ALL
    }
}

macro_rules! reasons {
    ($($CONST:ident = $name:literal, $kind:ident, $meaning:literal, $advice:literal;)+) => {
        impl Reason {
            $(#[doc = concat!("`", $name, "`: ", $meaning, ".")]
            pub const $CONST: Reason = Reason {
                name: $name,
                kind: Kind::$kind,
                meaning: $meaning,
                advice: $advice,
            };)+
        }

        const ALL: &[&Reason] = &[$(&Reason::$CONST),+];
    };
}

reasons! {
    ALIAS = "alias", Objection,
        "the file is an alias: its bytes lie on a volume already. It was exported before, or imported from a bucket, and the platform exports a file once",
        "leave the file out; copy it from the bucket where it lies if you need it elsewhere";
    PUBLIC = "public", Objection,
        "the file belongs to the platform's public project, and neither public files nor copies of them can be exported",
        "leave the file out; download it, or take it from the public bucket it came from";
    FOLDER = "folder", Objection,
        "it is a folder, and only files can be exported",
        "export the files in the folder";
    TOO_LARGE = "too-large", Objection,
        "the file is larger than the 5 TiB that an S3 object can have",
        "leave the file out, or split it in a task first";
    VOLUME_READ_ONLY = "volume-read-only", Objection,
        "the volume isn't read-write. New volumes may be read-only by default",
        "set the volume's access mode to RW (`cavatica volumes set OWNER/NAME --access-mode RW`), or choose another volume";
    VOLUME_INACTIVE = "volume-inactive", Objection,
        "the volume is deactivated: it can neither be browsed nor exported to",
        "activate the volume (`cavatica volumes reactivate OWNER/NAME`), or choose another one";
    SERVICE_WITHOUT_EXPORTS = "service-without-exports", Objection,
        "the volume is on a cloud that the platform doesn't export to: CAVATICA and the Cancer Genomics Cloud export to Amazon S3 only, BioData Catalyst to Google too",
        "choose a volume on Amazon S3";
    LOCATION = "location", Objection,
        "the location can't be the key of an S3 object: it is empty, begins or ends with `/`, has an empty part or a part `.` or `..`, a control character, or more than 1,024 bytes with the prefix",
        "give a relative key such as `run1/output.vcf`";
    KMS_KEY_WITHOUT_KMS = "kms-key-without-kms", Objection,
        "a KMS key is named, but the server-side encryption that would apply isn't `aws:kms`, so the key would not be used",
        "ask for `aws:kms` too, or leave the key out";
    KMS_KEY_TWICE = "kms-key-twice", Objection,
        "the KMS key is given in both of the spellings that the documentation has, and nobody knows which one counts",
        "leave one of the two out";
    UNKNOWN_PROPERTY = "unknown-property", Objection,
        "a property that no documentation knows. The platform might ignore it, and with it the wish behind it",
        "the properties are sse_algorithm, sse_aws_kms_key_id, aws_canned_acl and aws_storage_class";
    UNKNOWN_KEY = "unknown-key", Objection,
        "a key of the request that no documentation knows, most likely a misspelt one. The platform might ignore it, and with it the wish behind it",
        "the keys are source.file, destination.volume, destination.location, overwrite and properties; compare the spelling, or leave the key out";
    COPY_ONLY_IN_BODY = "copy-only-in-body", Objection,
        "`copy_only` stands in the body, but the platform looks for it in the query. It would presumably be ignored and the file moved",
        "choose the mode of the call instead";
    OTHER_FILE = "other-file", Objection,
        "the check was given another file than the request names",
        "check with the file that the request names";
    OTHER_VOLUME = "other-volume", Objection,
        "the check was given another volume than the request names",
        "check with the volume that the request names";
    MAYBE_ARCHIVED = "maybe-archived", Warning,
        "the answer doesn't say where the file's bytes are hosted. Archived files look like that, and so do some older answers",
        "restore the file first if it is archived; the platform refuses archived ones";
    MAYBE_PUBLIC_COPY = "maybe-public-copy", Warning,
        "the file has a metadata field that public files have. Copies of public files keep it, and they are refused like the originals",
        "leave the file out if it is a copy of a public file";
    MAYBE_DUPLICATE = "maybe-duplicate", Warning,
        "the file's name begins as those do that the platform gives to duplicates: `_1_`, `_2_` and so on",
        "look whether it is the same file as the one without the number";
    ODD_STORAGE = "odd-storage", Warning,
        "the file's bytes lie neither on the platform nor on a volume, as with files that were only referred to from elsewhere (DRS)",
        "leave the file out, or copy it into the platform first";
    NO_ENCRYPTION = "no-encryption", Warning,
        "the request asks away the encryption that the volume or the platform would otherwise ask for. Amazon S3 encrypts every object with its own key all the same; other stores may not",
        "leave `sse_algorithm` out, or ask for `AES256` or `aws:kms`";
    PUBLIC_ACL = "public-acl", Warning,
        "the canned ACL lets people outside the lab read the object",
        "choose `private` or `bucket-owner-full-control`";
    OVERWRITES = "overwrites", Warning,
        "`overwrite` lets the platform delete an object that is already there, before it writes the new one. If writing then fails, neither is left",
        "leave `overwrite` out unless you are sure that the object can go";
    PREFIX_WITH_SLASH = "prefix-with-slash", Warning,
        "the volume's prefix ends in `/`. The platform most likely puts one between prefix and location itself; whether it does so here too isn't documented, and keys may have `//`",
        "export one file first and look where it lies; best is a volume without prefix, and the folders in the location";
    OTHER_REGION = "other-region", Warning,
        "files of the selection lie in several clouds or regions, as their projects do. Some platforms export only to a bucket in the region of the project, and no answer tells a bucket's region",
        "plan the files of each region apart, each to a volume in that region; `cavatica projects list` shows where projects lie";
    STORAGE_CLASS_UNDOCUMENTED = "storage-class-undocumented", Warning,
        "the storage class is documented in answers only, not in requests",
        "export one file first, or set a lifecycle rule on the bucket";
    UNKNOWN_VALUE = "unknown-value", Warning,
        "the value of a property is none of the documented ones",
        "compare the spelling with the documentation";
    EXPORTS_DISABLED = "exports-disabled", Warning,
        "the volume says `export_enabled: false`, which no documentation explains",
        "export one file first";
    NO_WRITE_PERMISSION = "no-write-permission", Warning,
        "the account is a member of the volume, but without the permission `write`, which exports need. A team may give it all the same",
        "ask the volume's owner for the permission `write`, or export one file first";
    FILE_UNCLEAR = "file-unclear", Warning,
        "the answer leaves out what tells whether the file can be exported",
        "read the file itself, not its entry in a list";
    VOLUME_UNCLEAR = "volume-unclear", Warning,
        "the answer leaves out what tells whether the volume takes exports",
        "read the volume itself, not its entry in a list";
    FIELD_MISSING = "field-missing", Manifest,
        "the destination template names something that isn't known about the file",
        "use another template, or give the row a `location` of its own";
    FIELD_EMPTY = "field-empty", Manifest,
        "the destination template names something that is empty for the file",
        "use another template, or give the row a `location` of its own";
    FIELD_WITH_SLASH = "field-with-slash", Manifest,
        "the destination template names something whose value holds a `/`, which would make folders of its own",
        "use another template, or give the row a `location` of its own";
    FIELD_NOT_TEXT = "field-not-text", Manifest,
        "the destination template names a metadata field that is a list or an object",
        "use another template, or give the row a `location` of its own";
    EMPTY = "empty", Manifest,
        "a cell is empty that must hold something",
        "fill it in, or take the row out";
    ID = "id", Manifest,
        "a cell that should hold an id holds something that can't be one",
        "copy the id from the platform; a name or a web address is no id";
    NAME = "name", Manifest,
        "a cell that should hold a file name holds something that can't be one",
        "give the name alone; folders go into the column `path`";
    WINDOWS_PATH = "windows-path", Manifest,
        "a location is written with backslashes, which S3 doesn't take for folders",
        "write `/` between folders";
    NOT_A_BOOLEAN = "not-a-boolean", Manifest,
        "`overwrite` is neither true nor false",
        "write `true` or `false`, or leave the cell empty";
    WRONG_TYPE = "wrong-type", Manifest,
        "a JSON value has the wrong type",
        "write it as a text in quotes";
    TWICE = "twice", Manifest,
        "two keys of a JSON object mean the same",
        "leave one of them out";
    NOT_A_PROPERTY = "not-a-property", Manifest,
        "a key of a JSON object is to ask something of S3, and is none of the properties",
        "the properties are sse_algorithm, sse_aws_kms_key_id, aws_canned_acl and aws_storage_class";
    UNCLOSED_QUOTE = "unclosed-quote", Manifest,
        "a cell begins with a quote that is never closed",
        "close it, or double the quotes within the cell and put quotes around it";
    TEXT_AFTER_QUOTE = "text-after-quote", Manifest,
        "text follows a closing quote",
        "double the quotes within the cell and put quotes around it";
    CELL_COUNT = "cell-count", Manifest,
        "a row has more or fewer cells than the header",
        "put quotes around cells that hold the separator, and write a separator for each empty cell";
    NOT_UTF8 = "not-utf8", Manifest,
        "the text isn't UTF-8",
        "save the manifest again as UTF-8";
    LINE_TOO_LONG = "line-too-long", Manifest,
        "a line is longer than a mebibyte",
        "look whether its line break is missing";
    NOT_JSON = "not-json", Manifest,
        "a line of a JSON manifest is no JSON object",
        "write one object per line";
    READ = "read", Manifest,
        "the manifest can't be read to its end",
        "look at the disk or the program that writes it";
    SAME_LOCATION = "same-location", Manifest,
        "several rows have the same location: one file would fail or overwrite the other",
        "give each file a location of its own";
    TWIN_LOCATIONS = "twin-locations", Warning,
        "several files go to locations that differ only in letter case, Unicode form or characters that nobody sees. S3 keeps them apart, but a disk on macOS or Windows doesn't",
        "rename one of them unless the bucket is never copied to such a disk";
    NESTED_LOCATIONS = "nested-locations", Warning,
        "one file goes to a location that is the folder of others. S3 keeps them all, but no disk can hold a file and a folder of one name",
        "rename one of them unless the bucket is never copied to a disk";
    MORE_COLLISIONS = "more-collisions", Manifest,
        "so many rows meet others that the rest was only counted",
        "put the listed rows right and check again";
    UNCLEAR_NAME = "unclear-name", Manifest,
        "a key could ask for encryption, an ACL, a storage class, a destination or overwriting, and isn't one that is read here. Passed over, it would leave out what was asked for",
        "call it as the message says, or leave it out";
    NO_HEADER = "no-header", Manifest,
        "a cell stands under a header that is empty. A row that was shifted looks like that",
        "give the column a name, or empty the cell";
    NOT_AVAILABLE = "not-available", Manifest,
        "a cell holds a mark by which programs say that there is nothing: `NA` of R, `None` and `nan` of Python, `#N/A` of Excel",
        "leave the cell empty; a folder or file of that name is given by the file's id";
    EXCEL_NUMBER = "excel-number", Manifest,
        "an id was turned into a number, most likely by Excel, and its last digits are lost",
        "copy the ids anew, into a column that is formatted as text before";
    CONTRADICTS = "contradicts", Manifest,
        "a row gives the id of one file, and the name or project of another. A sheet of which one column was sorted looks like that",
        "make the list anew; if the file was only renamed, leave the column out";
    NOT_JUDGED = "not-judged", Warning,
        "only the platform knows what this depends on, so it can't be judged without an account",
        "`cavatica plan` judges it, and sends nothing";
    INVISIBLE = "invisible-character", Warning,
        "a location has a character that nobody sees, such as `\\u{200b}`. Whoever looks for the object will not find it",
        "take the character out; it often comes from a web page or a word processor";
    IGNORED_COLUMN = "ignored-column", Warning,
        "a column has a name that means nothing here",
        "look whether its name is misspelled; if not, it does no harm";
    ODD_FILE_ID = "odd-file-id", Warning,
        "a file id doesn't look like the platform's, which have 24 hex digits",
        "look whether the column holds names instead";
    OUTER_SPACE = "outer-space", Warning,
        "a location begins or ends with a space",
        "take the space out unless you mean it";
    LISTED_TWICE = "listed-twice", Plan,
        "a manifest names the same file on several rows. It is sent once, for the first of them: a file that was moved can't be exported again",
        "leave it on one row";
    MISSING = "missing", Plan,
        "in a plan: the platform doesn't show the file; it was deleted or moved, the id or path is wrong, or you have no right to it. For `verify`: the object isn't at the destination",
        "in a plan: look for the file with `cavatica files list`, or leave it out with --on missing=skip. For `verify`: find out who removed it before anything else is deleted";
    UNREADABLE = "unreadable", Plan,
        "what the platform tells of the file isn't of a shape that this program knows",
        "look at the file on the platform's page; a newer version of this program may know it";
    EXISTS = "exists", Plan,
        "an object lies at the planned location already",
        "leave such files out with --existing skip, or choose another prefix; --existing overwrite lets the platform delete what is there";
    IN_FLIGHT = "in-flight", Plan,
        "an export of the file to the volume is under way already: another transfer's, or one that somebody of this account started by hand",
        "wait until it has ended and plan again, or leave the file out with --on in-flight=skip";
    OTHER_PATH = "other-path", Warning,
        "the manifest tells other folders than the platform, and it is the platform's that count for the destination",
        "give the row a `location` if it is to go elsewhere; if not, nothing needs to be done";
    TASK_NOT_COMPLETED = "task-not-completed", Warning,
        "the task hasn't ended well: its outputs may not be complete",
        "wait until the task is completed and plan again";
    PLANNED = "planned", Standing,
        "the file is to be sent, and wasn't yet",
        "`cavatica run` sends it";
    INTENDED = "intended", Standing,
        "the file was sent, and the answer is open",
        "`cavatica run` finds out what became of it";
    ACCEPTED = "accepted", Standing,
        "the platform has a job for the file, which hasn't ended",
        "`cavatica run` follows it";
    COMPLETED = "completed", Standing,
        "the platform confirmed that the file was exported",
        "`cavatica verify` looks at the destination";
    FAILED = "failed", Standing,
        "the platform refused the file, or its job failed",
        "`cavatica status` says why and what to do";
    UNKNOWN = "unknown", Standing,
        "it can't be found out whether the file was exported",
        "look at the destination before you send it again";
    SKIPPED = "skipped", Standing,
        "the plan left the file out",
        "`cavatica report` says why";
    SAME = "same", Standing,
        "the object is there, and like the file as far as a listing tells",
        "nothing needs to be done";
    EXTRA = "extra", Standing,
        "an object is there, although the file isn't completed",
        "look whose it is: an earlier export, or somebody else's";
    DIFFERS = "differs", Standing,
        "of a file: the object is there, and has another size or ETag than the file or the newest export. Of a transfer: such objects, or missing ones, were found",
        "find out who wrote it before anything else is deleted";
    COMPARED = "compared", Standing,
        "the object's size was held against the file's",
        "nothing needs to be done";
    NOT_LISTED = "not-listed", Standing,
        "the listing told no size of the object, so only its key is known to be there",
        "`cavatica verify --against bucket` reads sizes from S3 itself";
    NOT_PLANNED = "not-planned", Standing,
        "the platform told no size of the file when it was planned, so only the object's key is known to be there",
        "look at the object's size yourself before anything is deleted";
    UNREAD = "unread", Standing,
        "the destination didn't tell about the object",
        "`cavatica verify` again";
    DOUBLED = "doubled", Audit,
        "several jobs since the plan brought the file to its place, or still do",
        "read both jobs with `cavatica jobs get`, and find out what else sends these files: another program, a copy of this transfer, a person. If nothing does, send `cavatica support` to the developers";
    ELSEWHERE = "elsewhere", Audit,
        "a job since the plan moves the file, or moved it, to another place",
        "ask who started that job; the next run waits for it, and then says what became of the file";
    UNEXPECTED_JOB = "unexpected-job", Audit,
        "a job since the plan brought the file to its place, or still does, and the journal knows none",
        "run the transfer again: it asks the platform before it sends. If the transfer came from a backup, this is what was sent since";
    STATE_DIFFERS = "state-differs", Audit,
        "the file's job ended otherwise than the journal says",
        "read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`";
    LIVE_JOB = "live-job", Audit,
        "the file's job still runs, and the journal says that it ended",
        "wait for the job with `cavatica jobs wait`, then audit again";
    WRONG_JOB = "wrong-job", Audit,
        "the journal names a job that the list shows for another file or place",
        "read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`";
    NOT_IN_LIST = "not-in-list", Audit,
        "the journal names a job that the list doesn't show",
        "read the job with `cavatica jobs get`: where it is still there the list isn't whole, so audit again; else the platform has forgotten it, and `cavatica verify` says whether the object is there";
    MISSING_JOB = "missing-job", Audit,
        "the file is completed, and no successful job is listed",
        "another account may have brought the file there, whose jobs don't show here; `cavatica verify` says whether the object is there";
    UNCLEAR = "unclear", Audit,
        "what the list shows may be an earlier job, or the list isn't whole. That is no fault",
        "audit again with --again; what stays unclear, `cavatica verify` and `cavatica jobs get` show";
    LIST_INCOMPLETE = "list-incomplete", Standing,
        "the answer was lost, and the list of your own export jobs doesn't show all that it must, so it proves nothing",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    FILE_CHANGED = "file-changed", Standing,
        "the answer was lost, no job of the transfer is listed, and the file isn't what it was when it was planned",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    JOB_UNCLEAR = "job-unclear", Standing,
        "the job was accepted, but the platform shows a state that nobody knows",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    NOT_MOVED = "not-moved", Standing,
        "the platform says that the job completed, but the file to be moved still lies on the platform",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    WHOSE_JOB = "whose-job", Standing,
        "the answer was lost, and a completed job of the same file to the same place may be this one or an earlier one",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    JOB_GONE = "job-gone", Standing,
        "the job was accepted, but the platform doesn't show it any more",
        "run the transfer once more: it asks the platform first. If that settles nothing, look into the bucket and at the file, then say what became of it with `cavatica resolve`";
    RUNNING = "running", Standing,
        "a program runs the transfer now",
        "`cavatica status --watch` follows it";
    UNFINISHED = "unfinished", Standing,
        "files of the transfer are left, and nothing runs it",
        "`cavatica run` goes on with it";
    DONE = "done", Standing,
        "every file of the transfer has arrived, as the platform confirmed",
        "`cavatica verify` looks at the destination";
    UNREACHABLE = "unreachable", Run,
        "there is no way to the platform; nothing was sent meanwhile",
        "check the network, the proxy and the endpoint; the run tries again by itself, and exports under way go on at the platform";
    NO_ANSWER = "no-answer", Run,
        "no answer came, or none that can be read",
        "nothing needs to be done: the platform is asked before anything is sent again";
    ANSWER_INCOMPLETE = "answer-incomplete", Run,
        "an answer came that doesn't say what became of each file",
        "nothing needs to be done: the platform is asked before anything is sent again";
    REFUSED = "refused", Run,
        "the platform said no, and nothing was begun",
        "the message says why, and `cavatica explain CODE` what its code means";
    HELD = "held", Run,
        "another program runs the transfer",
        "wait until it has ended, or stop it there";
    ASKED = "asked", Run,
        "somebody asked the run to stop",
        "`cavatica run` goes on from there";
    TOO_MANY_ERRORS = "too-many-errors", Run,
        "as many files failed as `--max-errors` allows, so no more were sent",
        "`cavatica status` says why they failed; `cavatica run` goes on with the rest";
    CONTRADICTED = "contradicted", Run,
        "the platform was seen to contradict what exactly once rests on: nothing further of the move was sent, and what was sent was followed to its end",
        "`cavatica contract` tells what was seen: send it to the project, and ask the platform's support; `run --despite BELIEF` sends the rest all the same";
    TROUBLE = "trouble", Run,
        "the platform refused the run itself, or couldn't be reached for as long as a run is patient",
        "the error says which; `cavatica run` goes on from there";
    ERROR = "error", Run,
        "the run came to no end of its own, and has no summary",
        "its message says what happened, to what, and what to do";
    TRANSIENT = "transient", Class,
        "trouble that passes; the same request may succeed a little later",
        "try again in a few minutes";
    PERMANENT = "permanent", Class,
        "it fails again until somebody changes something",
        "read the message, change what it names, and send the request again only then; the request id helps the platform's support to find it";
    CALLERS_MISTAKE = "callers-mistake", Class,
        "the request itself is wrong",
        "compare the request with the documentation of the call";
    THROTTLED = "throttled", Class,
        "too many requests; refused unread",
        "wait until the limit is reset, at most five minutes";
    MAINTENANCE = "maintenance", Class,
        "the platform is being maintained; refused unread",
        "wait; the platform comes back by itself";
}
