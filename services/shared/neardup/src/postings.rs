//! Which numbers a key has, in memory: what an index is made of.

/// The numbers of keys; both are the caller's, and the lowest numbers expire together.
///
/// Of a key and a number that it has six bytes are held, in open addressing with linear probing (Knuth, TAOCP vol. 3, 6.4,
/// algorithm L); what has expired is passed over, and its place taken by what comes. A key with many numbers makes long
/// ways for itself and its neighbours: the caller bounds them.
#[derive(Debug)]
pub struct Postings {
    tables: Vec<Table>,
    /// Lower numbers have expired.
    oldest: u64,
}

/// Tables, one for each first byte of a key. Each grows by itself: there is never a second copy of the whole.
const TABLES: usize = 256;

/// Segments of a table, one for each second byte of a key. All are of one size: they lie in one piece of memory.
const SEGMENTS: usize = 256;

impl Default for Postings {
    fn default() -> Self {
        Self { tables: (0..TABLES).map(|_| Table::default()).collect(), oldest: 0 }
    }
}

impl Postings {
    /// The lowest number that has not expired.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Takes out every number below `oldest`.
    pub fn expire(&mut self, oldest: u64) {
        self.oldest = self.oldest.max(oldest);
    }

    /// Adds a number to a key that does not have it, and tells how many others it has. A number that has expired is not to be
    /// added.
    pub fn insert(&mut self, key: u32, number: u64) -> usize {
        let oldest = self.oldest;
        self.tables.get_mut(table_of(key)).map_or(0, |table| table.insert(key, number, oldest))
    }

    /// Takes a number from a key.
    pub fn remove(&mut self, key: u32, number: u64) {
        if let Some(table) = self.tables.get_mut(table_of(key)) {
            table.remove(key, number, self.oldest);
        }
    }

    /// Takes all numbers from a key.
    pub fn take(&mut self, key: u32) -> Vec<u64> {
        let numbers: Vec<u64> = self.of(key).collect();
        numbers.iter().for_each(|number| self.remove(key, *number));
        numbers
    }

    /// The numbers of a key, in no order.
    pub fn of(&self, key: u32) -> impl Iterator<Item = u64> {
        self.tables.get(table_of(key)).into_iter().flat_map(move |table| table.of(key, self.oldest))
    }

    /// Brings where these keys stand near. Their places are far from one another in memory: asked for at once they come
    /// together.
    pub fn fetch(&self, keys: &[u32]) {
        let firsts = keys.iter().filter_map(|key| self.tables.get(table_of(*key))?.first(*key));
        std::hint::black_box(firsts.fold(0, |all, byte| all ^ byte));
    }
}

fn table_of(key: u32) -> usize {
    (key >> 24) as usize
}

fn segment_of(key: u32) -> usize {
    (key >> 16) as usize % SEGMENTS
}

/// The numbers of the keys with one first byte.
#[derive(Debug, Default)]
struct Table {
    slots: Box<[Slot]>,
    /// Slots of a segment.
    size: usize,
    /// Of each segment those that are not vacant.
    taken: Box<[u32]>,
}

/// The lower half of a key, and the lower four bytes of a number that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot([u8; 6]);

impl Slot {
    /// The one key and number that read so are left out.
    const VACANT: Self = Self([0xff; 6]);

    fn new(key: u32, number: u64) -> Self {
        let ([_, _, a, b], [_, _, _, _, c, d, e, f]) = (key.to_be_bytes(), number.to_be_bytes());
        Self([a, b, c, d, e, f])
    }

    fn key(self) -> u16 {
        let [a, b, ..] = self.0;
        u16::from_be_bytes([a, b])
    }

    /// The number, where it has not expired.
    fn number(self, oldest: u64) -> Option<u64> {
        let [_, _, c, d, e, f] = self.0;
        let since = u32::from_be_bytes([c, d, e, f]).wrapping_sub(oldest as u32);
        // Nobody holds half of the numbers that four bytes tell apart: what seems so far ahead lies behind.
        (since < 1 << 31).then(|| oldest + u64::from(since))
    }
}

impl Table {
    /// Adds a number to a key's, and tells how many others it has.
    fn insert(&mut self, key: u32, number: u64, oldest: u64) -> usize {
        // At most 90 % of a segment taken, and of most less: then a probe is short, and ends.
        let segment = segment_of(key);
        if self.taken.get(segment).is_none_or(|taken| *taken as usize * 10 >= self.size * 9) {
            self.rebuild(oldest);
        }
        let new = Slot::new(key, number);
        let mut place = None;
        let mut others = 0;
        for at in self.probe(key) {
            let slot = self.slots.get(at).copied().unwrap_or(Slot::VACANT);
            if slot == Slot::VACANT {
                if place.is_none()
                    && let Some(taken) = self.taken.get_mut(segment)
                {
                    *taken += 1;
                }
                place.get_or_insert(at);
                break;
            }
            match slot.number(oldest) {
                None => _ = place.get_or_insert(at),
                Some(_) => others += usize::from(slot.key() == new.key()),
            }
        }
        if let Some(slot) = place.and_then(|at| self.slots.get_mut(at)).filter(|_| new != Slot::VACANT) {
            *slot = new;
        }
        others
    }

    fn remove(&mut self, key: u32, number: u64, oldest: u64) {
        let wanted = Slot::new(key, number);
        let place = self.probe(key).find(|at| {
            let slot = self.slots.get(*at).copied().unwrap_or(Slot::VACANT);
            slot == Slot::VACANT || slot == wanted && slot.number(oldest) == Some(number)
        });
        let slot = place.and_then(|at| self.slots.get_mut(at));
        if let Some(slot) = slot.filter(|slot| **slot == wanted && wanted != Slot::VACANT) {
            *slot = Slot::new(0, oldest.wrapping_sub(1));
        }
    }

    /// The numbers of a key.
    fn of(&self, key: u32, oldest: u64) -> impl Iterator<Item = u64> + use<'_> {
        let slots = self.probe(key).map_while(|at| self.slots.get(at));
        let taken = slots.take_while(|slot| **slot != Slot::VACANT);
        taken.filter(move |slot| slot.key() == key as u16).filter_map(move |slot| slot.number(oldest))
    }

    /// A byte of the slot that a probe begins with.
    fn first(&self, key: u32) -> Option<u8> {
        let Slot([.., last]) = self.slots.get(self.probe(key).next()?)?;
        Some(*last)
    }

    /// Places of slots from a key's own on, to the end of its segment and then from its beginning, each once.
    fn probe(&self, key: u32) -> impl Iterator<Item = usize> + use<> {
        let begin = segment_of(key) * self.size;
        let own = begin + ((u64::from(key & 0xffff) * self.size as u64) >> 16) as usize;
        (own..begin + self.size).chain(begin..own)
    }

    /// Leaves out what has expired, and makes room.
    fn rebuild(&mut self, oldest: u64) {
        let slots = std::mem::take(&mut self.slots);
        let live = |segment: &[Slot]| -> Vec<Slot> {
            let live = segment.iter().filter(|slot| **slot != Slot::VACANT && slot.number(oldest).is_some());
            live.copied().collect()
        };
        let segments: Vec<Vec<Slot>> = slots.chunks(self.size.max(1)).map(live).collect();
        drop(slots);
        let most = segments.iter().map(Vec::len).max().unwrap_or_default();
        self.size = most + most / 4 + 2;
        self.slots = vec![Slot::VACANT; SEGMENTS * self.size].into();
        self.taken =
            (0..SEGMENTS).map(|at| segments.get(at).map_or(0, |segment| segment.len() as u32)).collect();
        for (at, segment) in segments.iter().enumerate() {
            for slot in segment {
                let key = (at << 16) as u32 | u32::from(slot.key());
                let place = self.probe(key).find(|at| self.slots.get(*at) == Some(&Slot::VACANT));
                if let Some(place) = place.and_then(|at| self.slots.get_mut(at)) {
                    *place = *slot;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(postings: &Postings, key: u32) -> Vec<u64> {
        let mut numbers: Vec<u64> = postings.of(key).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn keys_have_the_numbers_that_they_were_given() {
        let mut postings = Postings::default();
        let keys = [7, 7 << 16, 7 << 16 | 7, u32::MAX];
        for (key, number) in keys.iter().flat_map(|key| [1, 5, 9].map(|number| (*key, number))) {
            postings.insert(key, number);
        }
        assert_eq!(postings.insert(7, 11), 3);
        postings.remove(7 << 16, 5);
        postings.remove(7 << 16, 2);
        assert_eq!(keys.map(|key| of(&postings, key).len()), [4, 2, 3, 3]);
        assert_eq!(postings.take(7), [1, 5, 9, 11]);
        postings.expire(5);
        assert_eq!(of(&postings, 7), [0; 0]);
        assert_eq!(of(&postings, 7 << 16), [9]);
        assert_eq!(of(&postings, u32::MAX), [5, 9]);
    }

    #[test]
    fn what_expires_makes_room() {
        let mut postings = Postings::default();
        let keys = |number: u64| [0, 1, 2, 3].map(|key| (number * 4 + key) as u32 % 60_000);
        for number in 0..5_000_u64 {
            postings.expire(number.saturating_sub(100));
            for key in keys(number) {
                postings.insert(key, number);
                assert!(of(&postings, key).contains(&number));
            }
        }
        let size = postings.tables.iter().map(|table| table.size).max();
        assert!(size < Some(1000), "{size:?} slots for 404 numbers");
    }

    #[test]
    fn numbers_go_on_beyond_four_bytes() {
        let mut postings = Postings::default();
        let first = u64::from(u32::MAX) - 1;
        postings.expire(first);
        for number in first..first + 4 {
            postings.insert(u32::MAX, number);
            postings.insert(5, number);
        }
        assert_eq!(of(&postings, 5), [first, first + 1, first + 2, first + 3]);
        postings.expire(first + 3);
        assert_eq!(of(&postings, u32::MAX), [first + 3]);
    }
}
