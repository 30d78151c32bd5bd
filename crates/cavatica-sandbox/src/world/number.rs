//! Ids are numbers in disguise: they look as random as the platform's, the same seed gives the same ones, and a world of
//! a million files needs no table to find a file by its id.

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
const INVERSE: u64 = inverse(MULTIPLIER);

const FILES: u64 = 0x66_69_6C_65;
const EXPORTS: u64 = 0x65_78_70_6F;
const EXPORTS_CHECK: u64 = 0x63_68_65_63;

/// The inverse of an odd number modulo 2^64, by Newton's iteration; each step doubles the number of right bits.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

/// Scatters a number; each step can be undone.
pub(crate) fn scatter(key: u64, number: u64) -> u64 {
    let mut scattered = number ^ key;
    for _ in 0..2 {
        scattered ^= scattered >> 32;
        scattered = scattered.wrapping_mul(MULTIPLIER);
    }
    scattered ^ (scattered >> 32)
}

fn gather(key: u64, scattered: u64) -> u64 {
    let mut number = scattered ^ (scattered >> 32);
    for _ in 0..2 {
        number = number.wrapping_mul(INVERSE);
        number ^= number >> 32;
    }
    number ^ key
}

/// The id of a file: 24 hex digits.
pub(crate) fn file_id(seed: u64, file: u32) -> String {
    let key = scatter(FILES, seed);
    format!("{:08x}{:016x}", key >> 32, scatter(key, file.into()))
}

/// The number behind the id of a file, or `None` for an id that no file of this world can have.
pub(crate) fn file_number(seed: u64, id: &str) -> Option<u32> {
    let key = scatter(FILES, seed);
    let number = gather(key, hex(id.get(8..)?, 16)?);
    let number = u32::try_from(number).ok()?;
    (file_id(seed, number) == id).then_some(number)
}

/// The id of an export job: 32 hex digits.
pub(crate) fn export_id(seed: u64, job: u32) -> String {
    let (key, check) = (scatter(EXPORTS, seed), scatter(EXPORTS_CHECK, seed));
    format!(
        "{:016x}{:016x}",
        scatter(key, job.into()),
        scatter(check, job.into())
    )
}

/// The number behind the id of an export job.
pub(crate) fn export_number(seed: u64, id: &str) -> Option<u32> {
    let key = scatter(EXPORTS, seed);
    let number = u32::try_from(gather(key, hex(id.get(..16)?, 16)?)).ok()?;
    (export_id(seed, number) == id).then_some(number)
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits)
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_number(seed: u64, number: u32) {
            let id = file_id(seed, number);
            prop_assert_eq!(id.len(), 24);
            prop_assert_eq!(file_number(seed, &id), Some(number));
            let id = export_id(seed, number);
            prop_assert_eq!(id.len(), 32);
            prop_assert_eq!(export_number(seed, &id), Some(number));
        }

        #[test]
        fn any_text_may_stand_for_an_id(seed: u64, text in "\\PC{0,40}") {
            prop_assert_eq!(file_number(seed, &text), None);
            prop_assert_eq!(export_number(seed, &text), None);
        }
    }
}
