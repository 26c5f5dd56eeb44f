//! Finds the texts worth comparing: an inverted index from keys to texts, in memory.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

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

/// Segments, one for each first byte of a key. Each grows by itself: there is never a second copy of the whole.
const SEGMENTS: usize = 256;

/// The near-duplicate index. Texts are known by numbers that the caller gives; the lowest ones expire together.
///
/// Of a key and a text that has it seven bytes are held, in open addressing with linear probing (Knuth, TAOCP vol. 3,
/// 6.4, algorithm L); what has expired is passed over, and its place taken by what comes.
#[derive(Debug)]
pub struct Index {
    segments: Vec<Segment>,
    /// The texts of keys that [`COMMON`] texts had at once: as neighbours in a segment they would be long to pass.
    common: FxHashMap<u32, Vec<u64>>,
    sizes: Sizes,
    /// Texts of lower numbers have expired.
    oldest: u64,
}

impl Default for Index {
    fn default() -> Self {
        let segments = (0..SEGMENTS).map(|_| Segment::default()).collect();
        Self { segments, common: FxHashMap::default(), sizes: Sizes::default(), oldest: 0 }
    }
}

impl Index {
    /// Adds a text under its keys ([`crate::Sketch::keys`]). One that is in already has to be removed first; one that
    /// has expired is not added.
    pub fn insert(&mut self, number: u64, keys: &[u32]) {
        if number < self.oldest {
            return;
        }
        self.sizes.set(number, keys.len());
        for &key in keys {
            if let Some(texts) = self.common.get_mut(&key) {
                texts.push(number);
            } else if let Some(segment) = self.segments.get_mut(segment_of(key))
                && let Some(texts) = segment.insert(key, number, self.oldest)
            {
                self.common.insert(key, texts);
            }
        }
    }

    /// Takes a text out of the keys it was added under.
    pub fn remove(&mut self, number: u64, keys: &[u32]) {
        for &key in keys {
            if let Some(texts) = self.common.get_mut(&key) {
                texts.retain(|text| *text != number);
            } else if let Some(segment) = self.segments.get_mut(segment_of(key)) {
                segment.remove(key, number, self.oldest);
            }
        }
    }

    /// Takes out every text of a number below `oldest`.
    pub fn expire(&mut self, oldest: u64) {
        if oldest > self.oldest {
            self.oldest = oldest;
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
        // Each key's first slot is far from the others' in memory: asked for at once they come together.
        let firsts = keys.iter().filter_map(|key| self.segments.get(segment_of(*key))?.first(*key));
        std::hint::black_box(firsts.fold(0, |all, byte| all ^ byte));
        for &key in keys {
            let before = hits.len();
            match (self.common.get(&key), self.segments.get(segment_of(key))) {
                (Some(texts), _) if texts.len() >= COMMON => {}
                (Some(texts), _) => hits.extend(texts),
                (None, Some(segment)) => segment.find(key, self.oldest, &mut hits),
                (None, None) => {}
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

fn segment_of(key: u32) -> usize {
    (key >> 24) as usize
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

/// The texts of the keys with one first byte.
#[derive(Debug, Default)]
struct Segment {
    slots: Vec<Slot>,
    taken: usize,
}

/// The lower three bytes of a key, and the lower four of the number of a text that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot([u8; 7]);

impl Slot {
    /// The one key and number that read so are left out.
    const VACANT: Self = Self([0xff; 7]);

    fn new(key: u32, number: u64) -> Self {
        let ([_, a, b, c], [_, _, _, _, d, e, f, g]) = (key.to_be_bytes(), number.to_be_bytes());
        Self([a, b, c, d, e, f, g])
    }

    fn key(self) -> u32 {
        let [a, b, c, ..] = self.0;
        u32::from_be_bytes([0, a, b, c])
    }

    /// The number of the text, where that has not expired.
    fn number(self, oldest: u64) -> Option<u64> {
        let [_, _, _, d, e, f, g] = self.0;
        let since = u32::from_be_bytes([d, e, f, g]).wrapping_sub(oldest as u32);
        // No window holds half of the numbers that four bytes tell apart: what seems so far ahead lies behind.
        (since < 1 << 31).then(|| oldest + u64::from(since))
    }
}

impl Segment {
    /// Adds a text to a key's. Where that makes it common, all its texts are taken out and returned.
    fn insert(&mut self, key: u32, number: u64, oldest: u64) -> Option<Vec<u64>> {
        // At most 85 % taken: then a probe is short, and ends.
        if self.taken * 20 >= self.slots.len() * 17 {
            self.rebuild(oldest);
        }
        let new = Slot::new(key, number);
        if new == Slot::VACANT {
            return None;
        }
        let mut place = None;
        let mut others = 0;
        for at in self.probe(key) {
            let slot = self.slots.get(at).copied().unwrap_or(Slot::VACANT);
            if slot == Slot::VACANT {
                self.taken += usize::from(place.is_none());
                place.get_or_insert(at);
                break;
            }
            match slot.number(oldest) {
                None => _ = place.get_or_insert(at),
                Some(_) => others += usize::from(slot.key() == new.key()),
            }
        }
        *self.slots.get_mut(place?)? = new;
        if others + 1 < COMMON {
            return None;
        }
        let mut texts = Vec::with_capacity(2 * COMMON);
        self.find(key, oldest, &mut texts);
        texts.iter().for_each(|text| self.remove(key, *text, oldest));
        Some(texts)
    }

    fn remove(&mut self, key: u32, number: u64, oldest: u64) {
        let wanted = Slot::new(key, number);
        let place = self.probe(key).find(|at| {
            let slot = self.slots.get(*at).copied().unwrap_or(Slot::VACANT);
            slot == Slot::VACANT || slot == wanted && slot.number(oldest) == Some(number)
        });
        if let Some(slot) = place.and_then(|at| self.slots.get_mut(at)).filter(|slot| **slot == wanted) {
            *slot = Slot::new(0, oldest.wrapping_sub(1));
        }
    }

    /// Appends the texts of a key.
    fn find(&self, key: u32, oldest: u64, found: &mut Vec<u64>) {
        for at in self.probe(key) {
            match self.slots.get(at) {
                None | Some(&Slot::VACANT) => break,
                Some(slot) if slot.key() == key & 0xff_ffff => found.extend(slot.number(oldest)),
                Some(_) => {}
            }
        }
    }

    /// A byte of the slot that a probe begins with.
    fn first(&self, key: u32) -> Option<u8> {
        let Slot([.., last]) = self.slots.get(self.probe(key).next()?)?;
        Some(*last)
    }

    /// Places of slots from a key's own on, each once.
    fn probe(&self, key: u32) -> impl Iterator<Item = usize> + use<> {
        let size = self.slots.len();
        let own = (u64::from(key & 0xff_ffff) * size as u64) >> 24;
        (own as usize..size).chain(0..own as usize)
    }

    /// Leaves out what has expired, and makes room.
    fn rebuild(&mut self, oldest: u64) {
        let live: Vec<Slot> = self
            .slots
            .drain(..)
            .filter(|slot| slot.number(oldest).is_some() && *slot != Slot::VACANT)
            .collect();
        self.taken = live.len();
        self.slots = vec![Slot::VACANT; (live.len() * 4 / 3).max(16)];
        for slot in live {
            let place = self.probe(slot.key()).find(|at| self.slots.get(*at) == Some(&Slot::VACANT));
            if let Some(place) = place.and_then(|at| self.slots.get_mut(at)) {
                *place = slot;
            }
        }
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

    #[test]
    fn what_expires_makes_room() {
        let mut index = Index::default();
        let keys = |number: u64| [0, 1, 2, 3].map(|key| (number * 4 + key) as u32);
        for number in 0..20_000_u64 {
            index.expire(number.saturating_sub(100));
            index.insert(number, &keys(number));
            assert_eq!(index.candidates(&keys(number)), [number]);
        }
        let slots: usize = index.segments.iter().map(|segment| segment.slots.len()).sum();
        assert!(slots < 1000, "{slots} slots for 404 postings");
    }

    #[test]
    fn numbers_go_on_beyond_four_bytes() {
        let mut index = Index::default();
        let first = u64::from(u32::MAX) - 1;
        index.expire(first);
        for number in first..first + 4 {
            index.insert(number, &[u32::MAX, 5]);
        }
        assert_eq!(index.candidates(&[5]), [first, first + 1, first + 2, first + 3]);
        index.expire(first + 3);
        assert_eq!(index.candidates(&[5, u32::MAX]), [first + 3]);
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
