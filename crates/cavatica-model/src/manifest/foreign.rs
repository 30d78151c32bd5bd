//! Files that people hand in as a manifest, and that are written in a way which isn't read.

use std::fmt;

/// A way of writing that isn't CSV, TSV or JSON lines in UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// Compressed with gzip.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with xz.
    Xz,
    /// A zip archive.
    Zip,
    /// A workbook of Excel.
    Workbook,
    /// A workbook of LibreOffice.
    OpenDocument,
    /// A workbook of Excel up to 2003.
    OldWorkbook,
    /// A Parquet file.
    Parquet,
    /// An SQLite database; a transfer is one.
    Sqlite,
    /// A web page.
    Html,
    /// Text in UTF-16, its smaller byte first.
    Utf16Le,
    /// Text in UTF-16, its greater byte first.
    Utf16Be,
    /// Text in UTF-32.
    Utf32,
    /// One JSON array.
    JsonArray,
    /// JSON objects that go over several lines.
    PrettyJson,
}

/// How files of each kind begin. Sources: RFC 1952 and RFC 8878, the formats' own pages, and APPNOTE.TXT for zip.
const BEGINNINGS: &[(&[u8], Foreign)] = &[
    (b"\x1f\x8b", Foreign::Gzip),
    (b"\x28\xb5\x2f\xfd", Foreign::Zstd),
    (b"BZh", Foreign::Bzip2),
    (b"\xfd7zXZ\0", Foreign::Xz),
    (b"PK\x03\x04", Foreign::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::OldWorkbook),
    (b"PAR1", Foreign::Parquet),
    (b"SQLite format 3\0", Foreign::Sqlite),
    (b"\xff\xfe\0\0", Foreign::Utf32),
    (b"\0\0\xfe\xff", Foreign::Utf32),
    (b"\xff\xfe", Foreign::Utf16Le),
    (b"\xfe\xff", Foreign::Utf16Be),
];

impl Foreign {
    /// What the first bytes of a file show it to be.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let known = BEGINNINGS
            .iter()
            .find(|(beginning, _)| bytes.starts_with(beginning))
            .map(|(_, foreign)| *foreign);
        if known == Some(Foreign::Zip) {
            return Some(of_zip(bytes));
        }
        known.or_else(|| of_text(bytes))
    }

    /// The program that turns such a file, named behind it, into what can be read; `None` where a person has to.
    pub fn converter(self) -> Option<&'static str> {
        Some(match self {
            Foreign::Gzip => "zcat",
            Foreign::Zstd => "zstdcat",
            Foreign::Bzip2 => "bzcat",
            Foreign::Xz => "xzcat",
            Foreign::Zip => "unzip -p",
            Foreign::Utf16Le => "iconv -f UTF-16LE -t UTF-8",
            Foreign::Utf16Be => "iconv -f UTF-16BE -t UTF-8",
            Foreign::Utf32 => "iconv -f UTF-32 -t UTF-8",
            Foreign::JsonArray => "jq -c '.[]'",
            Foreign::PrettyJson => "jq -c .",
            Foreign::Workbook
            | Foreign::OpenDocument
            | Foreign::OldWorkbook
            | Foreign::Parquet
            | Foreign::Sqlite
            | Foreign::Html => return None,
        })
    }
}

/// The first file of an archive tells what the archive is.
fn of_zip(bytes: &[u8]) -> Foreign {
    let begin = &bytes[..bytes.len().min(4_096)];
    let has = |text: &[u8]| begin.windows(text.len()).any(|found| found == text);
    if has(b"[Content_Types].xml") || has(b"xl/") || has(b"_rels/") {
        Foreign::Workbook
    } else if has(b"opendocument.spreadsheet") {
        Foreign::OpenDocument
    } else {
        Foreign::Zip
    }
}

fn of_text(bytes: &[u8]) -> Option<Foreign> {
    // A header has no NULs in UTF-8. Its letters are ASCII, so in UTF-16 every second byte is one, in UTF-32 three of four.
    let line = bytes
        .split(|byte| *byte == b'\n')
        .find(|line| line.iter().any(u8::is_ascii_graphic))?;
    let nuls = line.iter().filter(|byte| **byte == 0).count();
    if nuls > 0 {
        let first = bytes.iter().position(u8::is_ascii_graphic).unwrap_or(0);
        return Some(if nuls * 3 > line.len() * 2 {
            Foreign::Utf32
        } else if first.is_multiple_of(2) {
            Foreign::Utf16Le
        } else {
            Foreign::Utf16Be
        });
    }
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let begins = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
    };
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some(Foreign::Html);
    }
    let behind = text.strip_prefix(b"[")?.trim_ascii_start();
    matches!(behind.first(), None | Some(b'{' | b'[' | b']' | b'"')).then_some(Foreign::JsonArray)
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Foreign::Gzip => "compressed with gzip",
            Foreign::Zstd => "compressed with zstd",
            Foreign::Bzip2 => "compressed with bzip2",
            Foreign::Xz => "compressed with xz",
            Foreign::Zip => "a zip archive",
            Foreign::Workbook | Foreign::OldWorkbook => "an Excel workbook",
            Foreign::OpenDocument => "a LibreOffice workbook",
            Foreign::Parquet => "a Parquet file",
            Foreign::Sqlite => "an SQLite database, perhaps a transfer",
            Foreign::Html => "a web page",
            Foreign::Utf16Le | Foreign::Utf16Be => "text in UTF-16, as some spreadsheets write it",
            Foreign::Utf32 => "text in UTF-32",
            Foreign::JsonArray => "a JSON array",
            Foreign::PrettyJson => "JSON whose objects go over several lines",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_shows_in_its_first_bytes() {
        let encoded = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let utf32: Vec<u8> = "id,é\n"
            .chars()
            .flat_map(|letter| u32::from(letter).to_le_bytes())
            .collect();
        for (bytes, what) in [
            (&b"\x1f\x8b\x08"[..], Some(Foreign::Gzip)),
            (
                b"PK\x03\x04\x14\0\0\0[Content_Types].xml",
                Some(Foreign::Workbook),
            ),
            (
                b"PK\x03\x04\x14\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                Some(Foreign::OpenDocument),
            ),
            (b"PK\x03\x04\x14\0\0\0files.csv", Some(Foreign::Zip)),
            (b"SQLite format 3\0\x10", Some(Foreign::Sqlite)),
            (b"\xff\xfei\0d\0", Some(Foreign::Utf16Le)),
            (b"\xff\xfe\0\0i\0\0\0", Some(Foreign::Utf32)),
            (
                &encoded("id,name\n", u16::to_le_bytes),
                Some(Foreign::Utf16Le),
            ),
            (
                &encoded("\nid,name\n", u16::to_be_bytes),
                Some(Foreign::Utf16Be),
            ),
            (&utf32, Some(Foreign::Utf32)),
            (b"\xef\xbb\xbf [\n {\"id\": 1}", Some(Foreign::JsonArray)),
            (b"[]", Some(Foreign::JsonArray)),
            (b"<!DOCTYPE HTML>", Some(Foreign::Html)),
            (b"[id],name\n", None),
            (b"file_id,location\n", None),
            (b"{\"id\": 1}\n", None),
            (b"", None),
        ] {
            assert_eq!(Foreign::of(bytes), what, "{bytes:?}");
        }
    }
}
