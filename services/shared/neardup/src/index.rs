//! Finds the texts worth comparing: an inverted index from keys to texts, in memory.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::Postings;

/// A key that this many texts have is boilerplate: it stops finding anything.
const COMMON: usize = 64;

/// A key that more texts than this have, which is more than the records of one story, is a phrase: what it finds has to
/// be found by another key as well.
const RARE: usize = 6;

/// Keys are a sample of the shingles: of them, too, texts that are alike share a quarter and more. What has fewer than one in
/// this many of the smaller text's keys has a phrase in common, and need not be read.
const FEWEST_SHARED: usize = 12;

/// Most candidates of one query, those with the most keys in common first.
const MAX_CANDIDATES: usize = 32;

/// The near-duplicate index. Texts are known by numbers that the caller gives; the lowest ones expire together.
#[derive(Debug, Default)]
pub struct Index {
    postings: Postings,
    /// The texts of keys that [`COMMON`] texts had at once: as neighbours among the postings they would be long to pass.
    common: FxHashMap<u32, Vec<u64>>,
    sizes: Sizes,
}

impl Index {
    /// Adds a text under its keys ([`crate::Sketch::keys`]). One that is in already has to be removed first; one that
    /// has expired is not added.
    pub fn insert(&mut self, number: u64, keys: &[u32]) {
        if number < self.postings.oldest() {
            return;
        }
        self.sizes.set(number, keys.len());
        for &key in keys {
            if let Some(texts) = self.common.get_mut(&key) {
                texts.push(number);
            } else if self.postings.insert(key, number) + 1 >= COMMON {
                self.common.insert(key, self.postings.take(key));
            }
        }
    }

    /// Takes a text out of the keys it was added under.
    pub fn remove(&mut self, number: u64, keys: &[u32]) {
        for &key in keys {
            if let Some(texts) = self.common.get_mut(&key) {
                texts.retain(|text| *text != number);
            } else {
                self.postings.remove(key, number);
            }
        }
    }

    /// Takes out every text of a number below `oldest`.
    pub fn expire(&mut self, oldest: u64) {
        if oldest > self.postings.oldest() {
            self.postings.expire(oldest);
            self.common.retain(|_, texts| {
                texts.retain(|text| *text >= oldest);
                !texts.is_empty()
            });
            self.sizes.forget_below(oldest);
        }
    }

    /// Texts that share a rare key with `keys`, or two, and not too few for the keys that both have; the one with the most
    /// first, equals in order of their numbers.
    pub fn candidates(&self, keys: &[u32]) -> Vec<u64> {
        let (mut hits, mut of_rare) = (Vec::new(), Vec::new());
        self.postings.fetch(keys);
        for &key in keys {
            let before = hits.len();
            match self.common.get(&key) {
                Some(texts) if texts.len() >= COMMON => {}
                Some(texts) => hits.extend(texts),
                None => hits.extend(self.postings.of(key)),
            }
            let found = hits.get(before..).unwrap_or_default();
            if found.len() <= RARE {
                of_rare.extend(found);
            }
        }
        hits.sort_unstable();
        let texts = hits.chunk_by(u64::eq).filter_map(|text| Some((text.len(), *text.first()?)));
        let is_worth_reading = |&(shared, number): &(usize, u64)| {
            (shared > 1 || of_rare.contains(&number))
                && shared * FEWEST_SHARED >= self.sizes.of(number).min(keys.len())
        };
        let mut found: Vec<(usize, u64)> = texts.filter(is_worth_reading).collect();
        found.sort_unstable_by_key(|&(shared, number)| (std::cmp::Reverse(shared), number));
        found.into_iter().take(MAX_CANDIDATES).map(|(_, number)| number).collect()
    }
}

/// How many keys each text has, up to 255.
#[derive(Debug, Default)]
struct Sizes(BTreeMap<u64, Box<[u8; SIZES]>>);

/// So many numbers are kept together.
const SIZES: usize = 4096;

impl Sizes {
    fn set(&mut self, number: u64, keys: usize) {
        let (block, at) = Self::place(number);
        let block = self.0.entry(block).or_insert_with(|| Box::new([0; SIZES]));
        if let Some(size) = block.get_mut(at) {
            *size = u8::try_from(keys).unwrap_or(u8::MAX);
        }
    }

    fn of(&self, number: u64) -> usize {
        let (block, at) = Self::place(number);
        self.0.get(&block).and_then(|block| block.get(at)).map_or(0, |size| usize::from(*size))
    }

    fn forget_below(&mut self, number: u64) {
        let (oldest, _) = Self::place(number);
        while let Some(block) = self.0.first_entry().filter(|block| *block.key() < oldest) {
            block.remove();
        }
    }

    fn place(number: u64) -> (u64, usize) {
        (number / SIZES as u64, (number % SIZES as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn candidates_come_with_the_most_keys_in_common_first() {
        let mut index = Index::default();
        index.insert(1, &[10, 20, 30]);
        index.insert(2, &[20, 30, 40]);
        index.insert(3, &[50]);
        assert_eq!(index.candidates(&[20, 30, 40, 50]), [2, 1, 3]);
        assert_eq!(index.candidates(&[60]), [0; 0]);
    }

    #[test]
    fn what_every_text_has_finds_nothing() {
        let mut index = Index::default();
        for number in 0..COMMON as u64 {
            index.insert(number, &[7, 8, 1000 + number as u32]);
        }
        assert_eq!(index.candidates(&[7, 8, 1003]), [3]);
        index.remove(0, &[7, 8, 1000]);
        assert_eq!(index.candidates(&[7, 8]).len(), MAX_CANDIDATES, "rarer again, it counts again");
        index.expire(60);
        assert_eq!(index.candidates(&[7]), [60, 61, 62, 63]);
    }

    #[test]
    fn a_phrase_finds_only_what_another_key_finds_too() {
        let mut index = Index::default();
        for number in 0..=RARE as u64 {
            index.insert(number, &[7, 1000 + number as u32 % 2]);
        }
        assert_eq!(index.candidates(&[7]), [0; 0]);
        assert_eq!(index.candidates(&[7, 1001]), [1, 3, 5]);
        index.expire(1);
        assert_eq!(index.candidates(&[7]), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn one_key_of_many_is_a_phrase() {
        let mut index = Index::default();
        let keys =
            |count: usize, first: u32| -> Vec<u32> { [7].into_iter().chain(first..).take(count).collect() };
        index.insert(1, &keys(FEWEST_SHARED, 1000));
        index.insert(2, &keys(FEWEST_SHARED + 1, 2000));
        assert_eq!(index.candidates(&keys(50, 3000)), [1]);
        assert_eq!(index.candidates(&keys(FEWEST_SHARED, 3000)), [1, 2]);
        index.remove(2, &keys(FEWEST_SHARED + 1, 2000));
        index.insert(2, &keys(3, 2000));
        assert_eq!(index.candidates(&keys(50, 3000)), [1, 2], "it has another text now");
    }

    #[test]
    fn the_lowest_numbers_expire() {
        let mut index = Index::default();
        for number in 1..=3 {
            index.insert(number, &[10]);
        }
        index.expire(2);
        index.insert(1, &[10]);
        assert_eq!(index.candidates(&[10]), [2, 3]);
    }

    #[derive(Debug, Clone)]
    enum Action {
        Insert(u64, BTreeSet<u32>),
        Remove(u64),
        Expire(u64),
    }

    fn action() -> impl Strategy<Value = Action> {
        let key = prop_oneof![0..20_u32, any::<u32>(), Just(u32::MAX)];
        prop_oneof![
            8 => (0..150_u64, prop::collection::btree_set(key, 0..30)).prop_map(|(n, keys)| Action::Insert(n, keys)),
            2 => (0..150_u64).prop_map(Action::Remove),
            1 => (0..40_u64).prop_map(Action::Expire),
        ]
    }

    proptest! {
        #[test]
        fn an_index_holds_what_a_plain_map_would(
            actions in prop::collection::vec(action(), 0..300),
            query in prop::collection::vec(0..20_u32, 1..30),
        ) {
            let mut index = Index::default();
            let mut plain = BTreeMap::<u64, BTreeSet<u32>>::new();
            let mut oldest = 0;
            let listed = |keys: &BTreeSet<u32>| keys.iter().copied().collect::<Vec<_>>();
            for action in actions {
                match action {
                    Action::Insert(number, keys) if number >= oldest => {
                        if let Some(keys) = plain.remove(&number) {
                            index.remove(number, &listed(&keys));
                        }
                        index.insert(number, &listed(&keys));
                        plain.insert(number, keys);
                    }
                    Action::Insert(number, keys) => index.insert(number, &listed(&keys)),
                    Action::Remove(number) => {
                        let keys = plain.remove(&number).unwrap_or_default();
                        index.remove(number, &listed(&keys));
                    }
                    Action::Expire(number) => {
                        oldest = oldest.max(number);
                        plain.retain(|number, _| *number >= oldest);
                        index.expire(number);
                    }
                }
            }
            let having = |key: &u32| plain.iter().filter(|(_, keys)| keys.contains(key)).map(|(n, _)| *n).collect::<Vec<_>>();
            let mut hits = BTreeMap::<u64, (usize, bool)>::new();
            for key in &query {
                let texts = having(key);
                for number in texts.iter().filter(|_| texts.len() < COMMON) {
                    let (shared, is_rare) = hits.entry(*number).or_default();
                    *shared += 1;
                    *is_rare |= texts.len() <= RARE;
                }
            }
            let smaller = |number: &u64| plain[number].len().min(query.len());
            let found = hits.into_iter().filter(|(number, (shared, is_rare))| {
                (*shared > 1 || *is_rare) && shared * FEWEST_SHARED >= smaller(number)
            });
            let mut expected: Vec<(usize, u64)> = found.map(|(number, (shared, _))| (shared, number)).collect();
            expected.sort_by_key(|&(shared, number)| (std::cmp::Reverse(shared), number));
            let expected: Vec<u64> = expected.into_iter().map(|(_, number)| number).take(MAX_CANDIDATES).collect();
            prop_assert_eq!(index.candidates(&query), expected);
        }
    }
}
