//! Names with wildcards.

use std::fmt;

/// A pattern for file names: `*` is any text, `?` is one character, everything else is itself.
///
/// ```
/// use cavatica_transfer::plan::Glob;
///
/// let pattern = Glob::new("*.b?m");
/// assert!(pattern.fits("NA12878.bam"));
/// assert!(!pattern.fits("NA12878.bam.bai"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<char>);

impl Glob {
    /// Every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        Glob(pattern.chars().collect())
    }

    /// Whether a whole name fits.
    pub fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let pattern = &self.0;
        let (mut at, mut in_name) = (0, 0);
        // Where the last `*` stands and how far the text was that it stood for, to try one character more.
        let mut star = None;
        while in_name < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, in_name));
                    at += 1;
                }
                Some('?') => {
                    at += 1;
                    in_name += 1;
                }
                Some(letter) if *letter == name[in_name] => {
                    at += 1;
                    in_name += 1;
                }
                Some(_) | None => match star {
                    Some((position, taken)) => {
                        star = Some((position, taken + 1));
                        at = position + 1;
                        in_name = taken + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|letter| *letter == '*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{letter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*.bam", "a.bam", true),
            ("*.bam", "a.bam.bai", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("?.bam", "é.bam", true),
            ("?.bam", ".bam", false),
            ("[a].bam", "[a].bam", true),
        ] {
            assert_eq!(Glob::new(pattern).fits(name), fits, "{pattern} {name}");
        }
    }
}
