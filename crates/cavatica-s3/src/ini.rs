//! Files of `[section]`s with `option = value` lines, read as Python's `configparser` reads them: the AWS tools and the
//! platform's own client are written in Python, and their files are written for it.
//!
//! Source: <https://docs.python.org/3/library/configparser.html#supported-ini-file-structure>. Values are taken as they
//! stand, as by its `RawConfigParser`; there is no section with defaults for the others.

/// A file's sections, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ini {
    sections: Vec<Section>,
}

/// A section's name, and its options in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    name: String,
    options: Vec<(String, String)>,
}

/// Why a text is no such file. It names the line and never repeats it: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IniError {
    /// The bytes are UTF-16, as some editors and shells on Windows write it.
    #[error("it is UTF-16; save it as UTF-8")]
    Utf16,
    /// The bytes are no text.
    #[error("it is not UTF-8")]
    Encoding,
    /// Something stands before the first section.
    #[error("line {0} stands before the first `[section]`")]
    NoSection(usize),
    /// A line is neither a section nor an option.
    #[error("line {0} is neither a `[section]` nor `option = value`")]
    Line(usize),
    /// A section is there twice.
    #[error("line {0} begins a section that is there already")]
    SameSection(usize),
    /// An option of a section is there twice.
    #[error("line {0} sets an option that is set already")]
    SameOption(usize),
}

impl Ini {
    /// Reads a file's bytes. A byte order mark is passed over.
    ///
    /// # Errors
    ///
    /// [`IniError`] where Python's reader refuses the file too; then nothing of it is to be used.
    pub fn read(bytes: &[u8]) -> Result<Self, IniError> {
        let text = decode(bytes)?;
        let mut ini = Ini::default();
        // What is indented deeper than the option before it goes on with that option's value.
        let mut indent = 0;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let content = line.trim();
            if content.starts_with(['#', ';']) {
                continue;
            }
            let depth = line.len() - line.trim_start().len();
            if let Some(value) = ini.open_value()
                && (content.is_empty() || depth > indent)
            {
                value.push('\n');
                value.push_str(content);
                continue;
            }
            if content.is_empty() {
                continue;
            }
            indent = depth;
            ini.line(content, number)?;
        }
        for (_, value) in ini.sections.iter_mut().flat_map(|s| &mut s.options) {
            value.truncate(value.trim_end_matches('\n').len());
        }
        Ok(ini)
    }

    fn line(&mut self, content: &str, number: usize) -> Result<(), IniError> {
        if let Some(name) = section_name(content) {
            if self.section(name).is_some() {
                return Err(IniError::SameSection(number));
            }
            self.sections.push(Section {
                name: name.to_owned(),
                options: Vec::new(),
            });
            return Ok(());
        }
        let Some(section) = self.sections.last_mut() else {
            return Err(IniError::NoSection(number));
        };
        let (option, value) = content
            .split_once(['=', ':'])
            .ok_or(IniError::Line(number))?;
        let option = option.trim_end().to_lowercase();
        if option.is_empty() {
            return Err(IniError::Line(number));
        }
        if section.options.iter().any(|(known, _)| *known == option) {
            return Err(IniError::SameOption(number));
        }
        section.options.push((option, value.trim().to_owned()));
        Ok(())
    }

    /// The value that a further line would go on with.
    fn open_value(&mut self) -> Option<&mut String> {
        let section = self.sections.last_mut()?;
        section.options.last_mut().map(|(_, value)| value)
    }

    /// The names of the sections, in their order.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|section| section.name.as_str())
    }

    /// The options of a section; their names are in lower case.
    pub fn section(&self, name: &str) -> Option<&[(String, String)]> {
        let section = self.sections.iter().find(|section| section.name == name)?;
        Some(&section.options)
    }

    /// An option's value; the option is named in lower case, in the file in any.
    pub fn get(&self, section: &str, option: &str) -> Option<&str> {
        let options = self.section(section)?.iter();
        let mut values = options.filter(|(name, _)| name == option);
        values.next().map(|(_, value)| value.as_str())
    }
}

/// A file's bytes as text, without a byte order mark.
///
/// # Errors
///
/// [`IniError::Utf16`] and [`IniError::Encoding`].
pub fn decode(bytes: &[u8]) -> Result<&str, IniError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        return Err(IniError::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| IniError::Encoding)?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// What stands between the first bracket and the last; what follows it on the line is passed over.
fn section_name(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Ini, IniError};

    fn read(text: &str) -> Result<Ini, IniError> {
        Ini::read(text.as_bytes())
    }

    #[test]
    fn options_are_found_in_any_letter_case_and_values_are_whole() {
        let ini = read(
            "\u{feff}# first\n[a b] rest\nKEY: s#cr;t=/+\n  more\n\n  ; no\n  end\nnext =\n[Z]\n",
        )
        .expect("it can be read");
        assert_eq!(ini.get("a b", "key"), Some("s#cr;t=/+\nmore\n\nend"));
        assert_eq!(ini.get("a b", "next"), Some(""));
        assert_eq!(ini.sections().collect::<Vec<_>>(), ["a b", "Z"]);
        assert_eq!(ini.get("z", "key"), None);
    }

    #[test]
    fn a_file_that_python_refuses_is_refused_with_its_line() {
        for (text, error) in [
            ("a = 1\n", IniError::NoSection(1)),
            ("[a]\nsecret\n", IniError::Line(2)),
            ("[a]\n= secret\n", IniError::Line(2)),
            ("[a]\n\n[a]\n", IniError::SameSection(3)),
            ("[a]\nx = 1\nX = 2\n", IniError::SameOption(3)),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
        let wide: Vec<u8> = "[a]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Ini::read(&wide), Err(IniError::Utf16));
        assert_eq!(Ini::read(b"[a]\nx = \xe9\n"), Err(IniError::Encoding));
    }
}
