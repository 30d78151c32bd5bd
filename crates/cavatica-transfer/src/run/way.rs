//! Which way files are read that presumably have arrived: by listing the folder that they lie in, or by their ids. Pure.
//!
//! A page of a list shows up to a thousand entries of a folder, ours or not; a request by ids a hundred files, all of them
//! ours. So it depends on how densely ours lie among the entries, and on how many entries have to be passed before they come.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// How many files one request reads by their ids.
pub(super) const IDS: u64 = 100;

/// How many entries of a folder are asked for with one request.
pub(crate) const LARGEST_PAGE: u64 = 1_000;

/// A folder whose size nobody knows is listed only for so many files at once: the first page may turn out to be in vain.
const WORTH_A_TRY: u64 = 2 * IDS;

/// It costs a request to learn a folder's size, and at least one to list it: so many files and fewer are read by their ids.
pub(crate) const WORTH_A_COUNT: u64 = 2 * IDS;

/// What is known of a folder and of our files in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prospect {
    /// How many entries come with one request.
    pub(super) page: u64,
    /// How many entries the folder has, if it was ever counted.
    pub(super) entries: Option<u64>,
    /// How many files of the plan lie in it.
    pub(super) planned: u64,
    /// How many entries were passed by a list that can be read on; 0 if it begins anew.
    pub(super) passed: u64,
    /// How many of ours are behind the place up to which the list has to be read, those that are sought included: files of
    /// the plan lie in a list in the order of the plan. `None` if their order isn't known.
    pub(super) until: Option<u64>,
    /// How many of ours that have presumably arrived are sought.
    pub(super) sought: u64,
}

/// How files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// By listing their folder, with so many requests.
    Listing {
        /// Pages that have to be read.
        pages: u64,
    },
    /// By their ids, a hundred a request.
    Ids,
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, pages) = match self {
            Way::Listing { pages } => ("listing", Some(pages)),
            Way::Ids => ("ids", None),
        };
        let mut fields = serializer.serialize_struct("Way", 2)?;
        fields.serialize_field("way", name)?;
        fields.serialize_field("pages", &pages)?;
        fields.end()
    }
}

impl Prospect {
    /// How many requests it takes to list all that is sought; at least one.
    fn pages(&self) -> u64 {
        let page = self.page.max(1);
        let entries = self.entries.unwrap_or(self.planned);
        let until = match self.until {
            Some(until) if self.planned > 0 && self.entries.is_some() => {
                let places = u128::from(until) * u128::from(entries);
                let place = places.div_ceil(u128::from(self.planned));
                u64::try_from(place).unwrap_or(u64::MAX).min(entries)
            }
            Some(_) | None => entries,
        };
        until.saturating_sub(self.passed).div_ceil(page).max(1)
    }

    /// The way that takes fewer requests; by their ids where it is the same, for that shows more of them.
    pub(super) fn way(&self) -> Way {
        let pages = self.pages();
        let worth = self.entries.is_some() || self.sought >= WORTH_A_TRY;
        if worth && pages.saturating_mul(IDS) < self.sought {
            Way::Listing { pages }
        } else {
            Way::Ids
        }
    }

    /// How many of so many files lie on the next page, if they lie evenly on what hasn't been passed.
    pub(super) fn evenly_on_a_page(&self, files: usize) -> usize {
        let left = self.entries.unwrap_or(self.planned);
        let left = left.saturating_sub(self.passed).max(self.page).max(1);
        let share = files as u128 * u128::from(self.page) / u128::from(left);
        usize::try_from(share).unwrap_or(files)
    }

    /// How many of ours lie on the first `entries` of the folder, if they lie evenly.
    pub(super) fn ours_within(&self, entries: u64) -> u64 {
        match self.entries {
            Some(all) if all > entries => {
                let ours = u128::from(entries) * u128::from(self.planned) / u128::from(all);
                u64::try_from(ours).unwrap_or(u64::MAX)
            }
            Some(_) | None => self.planned,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn prospects()(
            page in prop_oneof![Just(100_u64), Just(1_000)],
            planned in 1..200_000_u64,
            others in 0..200_000_u64,
            known in any::<bool>(),
            in_order in any::<bool>(),
            passed in 0..100_000_u64,
            until in 1..200_000_u64,
            sought in 0..200_000_u64,
        ) -> Prospect {
            let entries = planned + others;
            let until = until.min(planned);
            Prospect {
                page,
                entries: known.then_some(entries),
                planned,
                passed: passed.min(entries),
                until: in_order.then_some(until),
                sought: sought.min(until),
            }
        }
    }

    proptest! {
        #[test]
        fn listing_is_chosen_only_where_it_takes_fewer_requests(prospect in prospects()) {
            if let Way::Listing { pages } = prospect.way() {
                prop_assert!(pages < prospect.sought.div_ceil(IDS).max(2));
                prop_assert!(pages * IDS < prospect.sought);
            }
        }

        #[test]
        fn a_hundred_files_and_fewer_are_read_by_their_ids(prospect in prospects(), sought in 0..=IDS) {
            prop_assert_eq!(Prospect { sought, ..prospect }.way(), Way::Ids);
        }

        #[test]
        fn a_page_of_a_hundred_is_never_worth_it(prospect in prospects()) {
            let capped = Prospect { page: IDS, passed: 0, until: Some(prospect.sought), entries: Some(prospect.planned), ..prospect };
            prop_assert_eq!(capped.way(), Way::Ids);
        }

        #[test]
        fn more_files_sought_in_the_same_place_never_speak_against_listing(prospect in prospects(), more in 0..100_000_u64) {
            if prospect.way() != Way::Ids {
                let denser = Prospect { sought: prospect.sought + more, ..prospect };
                prop_assert_ne!(denser.way(), Way::Ids);
            }
        }

        #[test]
        fn pages_that_are_known_never_speak_against_listing(prospect in prospects(), known in 0..100_000_u64) {
            if prospect.way() != Way::Ids {
                let further = Prospect { passed: prospect.passed + known, ..prospect };
                prop_assert_ne!(further.way(), Way::Ids);
            }
        }

        #[test]
        fn strange_entries_never_speak_for_listing(prospect in prospects(), strange in 0..100_000_u64) {
            if let (Way::Ids, Some(entries)) = (prospect.way(), prospect.entries) {
                let thinner = Prospect { entries: Some(entries + strange), ..prospect };
                prop_assert_eq!(thinner.way(), Way::Ids);
            }
        }
    }

    #[test]
    fn what_is_decided_of_folders_as_they_are() {
        let dense = Prospect {
            page: LARGEST_PAGE,
            entries: Some(1_000),
            planned: 1_000,
            passed: 0,
            until: Some(1_000),
            sought: 1_000,
        };
        assert_eq!(dense.way(), Way::Listing { pages: 1 });
        // The third page of a list that is read on.
        let on = Prospect {
            entries: Some(1_000_000),
            planned: 1_000_000,
            passed: 2_000,
            until: Some(3_000),
            ..dense
        };
        assert_eq!(on.way(), Way::Listing { pages: 1 });
        // The same, where the list would begin anew: 500 pages for a thousand files.
        let anew = Prospect {
            passed: 0,
            until: Some(500_000),
            ..on
        };
        assert_eq!(anew.way(), Way::Ids);
        // One in twenty is ours.
        let thin = Prospect {
            planned: 50,
            until: Some(50),
            sought: 50,
            ..dense
        };
        assert_eq!(thin.way(), Way::Ids);
        // Nobody knows the folder's size, or the order.
        let unknown = Prospect {
            entries: None,
            until: None,
            ..dense
        };
        assert_eq!(unknown.way(), Way::Listing { pages: 1 });
    }
}
