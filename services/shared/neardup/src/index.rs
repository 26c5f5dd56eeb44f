//! Finds the texts worth comparing: an inverted index from keys to texts, in memory.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// A key that this many texts have is boilerplate: it stops finding anything.
const COMMON: usize = 64;

/// Most candidates of one query, those with the most keys in common first.
const MAX_CANDIDATES: usize = 32;

/// Marks a posting that is a place in `lists` rather than the number of a text.
const LIST: u32 = 1 << 31;

/// The near-duplicate index. Texts are known by numbers that the caller gives, below 2³¹.
///
/// A key of one text, as nearly all are, takes a table slot of eight bytes and nothing else.
#[derive(Debug, Default)]
pub struct Index {
    postings: FxHashMap<u32, u32>,
    lists: Vec<Vec<u32>>,
    free_lists: Vec<u32>,
    texts: FxHashMap<u32, Text>,
    by_time: BTreeSet<(i64, u32)>,
}

#[derive(Debug)]
struct Text {
    at_ms: i64,
    keys: Box<[u32]>,
}

impl Index {
    /// Adds a text under its keys ([`crate::Sketch::keys`]); one already there is replaced. A number of 2³¹ or more is
    /// not indexed.
    pub fn insert(&mut self, number: u32, keys: &[u32], at_ms: i64) {
        self.remove(number);
        if number >= LIST {
            return;
        }
        for &key in keys {
            self.post(key, number);
        }
        self.texts.insert(number, Text { at_ms, keys: keys.into() });
        self.by_time.insert((at_ms, number));
    }

    /// Takes a text out, where it is in.
    pub fn remove(&mut self, number: u32) {
        let Some(text) = self.texts.remove(&number) else { return };
        self.by_time.remove(&(text.at_ms, number));
        for &key in &text.keys {
            self.unpost(key, number);
        }
    }

    /// Takes out every text of before `before_ms` and returns their numbers.
    pub fn expire(&mut self, before_ms: i64) -> Vec<u32> {
        let keep = self.by_time.split_off(&(before_ms, 0));
        let expired: Vec<u32> =
            std::mem::replace(&mut self.by_time, keep).into_iter().map(|(_, n)| n).collect();
        expired.iter().for_each(|&number| self.remove(number));
        expired
    }

    /// Texts that share a key with `keys`, the one with the most first, equals in order of their numbers.
    pub fn candidates(&self, keys: &[u32]) -> Vec<u32> {
        let mut hits = FxHashMap::<u32, u32>::default();
        for key in keys {
            for &number in self.posted(*key) {
                *hits.entry(number).or_default() += 1;
            }
        }
        let mut found: Vec<(u32, u32)> = hits.into_iter().collect();
        found.sort_unstable_by_key(|&(number, shared)| (std::cmp::Reverse(shared), number));
        found.into_iter().take(MAX_CANDIDATES).map(|(number, _)| number).collect()
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn posted(&self, key: u32) -> &[u32] {
        match self.postings.get(&key) {
            None => &[],
            Some(posting) if posting & LIST == 0 => std::slice::from_ref(posting),
            Some(posting) => self.list(*posting).filter(|list| list.len() < COMMON).unwrap_or_default(),
        }
    }

    fn list(&self, posting: u32) -> Option<&[u32]> {
        self.lists.get((posting & !LIST) as usize).map(Vec::as_slice)
    }

    fn post(&mut self, key: u32, number: u32) {
        let Some(posting) = self.postings.get_mut(&key) else {
            self.postings.insert(key, number);
            return;
        };
        if *posting & LIST == 0 {
            let pair = vec![*posting, number];
            let place = self.free_lists.pop().unwrap_or_else(|| {
                self.lists.push(Vec::new());
                u32::try_from(self.lists.len() - 1).unwrap_or(u32::MAX)
            });
            if let Some(list) = self.lists.get_mut(place as usize) {
                *list = pair;
                *posting = place | LIST;
            }
        } else if let Some(list) = self.lists.get_mut((*posting & !LIST) as usize) {
            list.push(number);
        }
    }

    fn unpost(&mut self, key: u32, number: u32) {
        let Some(&posting) = self.postings.get(&key) else { return };
        if posting & LIST == 0 {
            if posting == number {
                self.postings.remove(&key);
            }
            return;
        }
        let place = posting & !LIST;
        let Some(list) = self.lists.get_mut(place as usize) else { return };
        list.retain(|&posted| posted != number);
        if let [only] = list[..] {
            *list = Vec::new();
            self.free_lists.push(place);
            self.postings.insert(key, only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn candidates_come_with_the_most_keys_in_common_first() {
        let mut index = Index::default();
        index.insert(1, &[10, 20, 30], 0);
        index.insert(2, &[20, 30, 40], 0);
        index.insert(3, &[50], 0);
        assert_eq!(index.candidates(&[20, 30, 40, 50]), [2, 1, 3]);
        assert_eq!(index.candidates(&[60]), [0; 0]);
    }

    #[test]
    fn what_every_text_has_finds_nothing() {
        let mut index = Index::default();
        for number in 0..COMMON as u32 {
            index.insert(number, &[7, 1000 + number], 0);
        }
        assert_eq!(index.candidates(&[7, 1003]), [3]);
        index.remove(0);
        assert_eq!(index.candidates(&[7]).len(), MAX_CANDIDATES, "rarer again, it counts again");
    }

    #[test]
    fn texts_expire_by_their_time() {
        let mut index = Index::default();
        index.insert(1, &[10], 100);
        index.insert(2, &[10], 200);
        index.insert(3, &[10], 300);
        assert_eq!(index.expire(200), [1]);
        assert_eq!(index.candidates(&[10]), [2, 3]);
        assert_eq!(index.len(), 2);
    }

    proptest! {
        #[test]
        fn an_index_holds_what_a_plain_map_would(
            actions in prop::collection::vec((0..12_u32, prop::collection::btree_set(0..20_u32, 0..6), any::<bool>()), 0..80),
            query in prop::collection::vec(0..20_u32, 1..5),
        ) {
            let mut index = Index::default();
            let mut plain = std::collections::BTreeMap::new();
            for (number, keys, remove) in actions {
                if remove {
                    index.remove(number);
                    plain.remove(&number);
                } else {
                    index.insert(number, &keys.iter().copied().collect::<Vec<_>>(), 0);
                    plain.insert(number, keys);
                }
            }
            let mut found = index.candidates(&query);
            found.sort_unstable();
            let expected: Vec<u32> =
                plain.iter().filter(|(_, keys)| query.iter().any(|key| keys.contains(key))).map(|(n, _)| *n).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(index.len(), plain.len());
        }
    }
}
