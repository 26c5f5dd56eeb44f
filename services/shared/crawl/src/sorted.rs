//! A sorted set that is small where it holds little: most hosts have a few requests, and there are many hosts.

use std::{collections::BTreeSet, mem};

/// How many are kept in a list; more of them go into a tree, for a list is moved with every change.
const FEW: usize = 64;
/// By how many places a list grows: a doubled one would be half empty.
const GROWTH: usize = 4;

/// Values in order, each once.
#[derive(Debug, Clone)]
pub(crate) enum Sorted<T> {
    /// The least is the last, to be taken off.
    Few(Vec<T>),
    Many(BTreeSet<T>),
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T: Ord> Sorted<T> {
    pub(crate) fn insert(&mut self, value: T) {
        match self {
            Self::Few(list) if list.len() < FEW => {
                if let Err(at) = list.binary_search_by(|other| value.cmp(other)) {
                    if list.len() == list.capacity() {
                        list.reserve_exact(GROWTH);
                    }
                    list.insert(at, value);
                }
            }
            Self::Few(list) => {
                let mut tree: BTreeSet<T> = mem::take(list).into_iter().collect();
                tree.insert(value);
                *self = Self::Many(tree);
            }
            Self::Many(tree) => {
                tree.insert(value);
            }
        }
    }

    /// Whether it was there.
    pub(crate) fn remove(&mut self, value: &T) -> bool {
        let was_there = match self {
            Self::Few(list) => {
                let at = list.binary_search_by(|other| value.cmp(other));
                at.map(|at| list.remove(at)).is_ok()
            }
            Self::Many(tree) => tree.remove(value),
        };
        self.settle();
        was_there
    }

    pub(crate) fn contains(&self, value: &T) -> bool {
        match self {
            Self::Few(list) => list.binary_search_by(|other| value.cmp(other)).is_ok(),
            Self::Many(tree) => tree.contains(value),
        }
    }

    pub(crate) fn first(&self) -> Option<&T> {
        match self {
            Self::Few(list) => list.last(),
            Self::Many(tree) => tree.first(),
        }
    }

    pub(crate) fn last(&self) -> Option<&T> {
        match self {
            Self::Few(list) => list.first(),
            Self::Many(tree) => tree.last(),
        }
    }

    pub(crate) fn pop_last(&mut self) -> Option<T> {
        let last = match self {
            Self::Few(list) => (!list.is_empty()).then(|| list.remove(0)),
            Self::Many(tree) => tree.pop_last(),
        };
        self.settle();
        last
    }

    pub(crate) fn pop_first(&mut self) -> Option<T> {
        let first = match self {
            Self::Few(list) => list.pop(),
            Self::Many(tree) => tree.pop_first(),
        };
        self.settle();
        first
    }

    /// From the least on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list.iter().rev()), None),
            Self::Many(tree) => (None, Some(tree.iter())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A tree that holds little is a list again; at half of what made it one, lest they change with every value.
    fn settle(&mut self) {
        if let Self::Many(tree) = self
            && tree.len() <= FEW / 2
        {
            *self = Self::Few(mem::take(tree).into_iter().rev().collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_at_every_size(changes in proptest::collection::vec((0..7_u8, 0..200_u32), 0..600)) {
            let (mut sorted, mut plain) = (Sorted::default(), BTreeSet::new());
            // Takes in more than a list holds, then lets most of it go.
            let emptied = (0..200).map(|value| (5, value));
            for (change, value) in changes.into_iter().chain(emptied) {
                match change {
                    0 => prop_assert_eq!(sorted.pop_first(), plain.pop_first()),
                    6 => prop_assert_eq!(sorted.pop_last(), plain.pop_last()),
                    1..=4 => {
                        sorted.insert(value);
                        plain.insert(value);
                    }
                    _ => {
                        prop_assert_eq!(sorted.contains(&value), plain.contains(&value));
                        prop_assert_eq!(sorted.remove(&value), plain.remove(&value));
                    }
                }
                prop_assert_eq!(sorted.first(), plain.first());
                prop_assert_eq!(sorted.last(), plain.last());
                prop_assert_eq!(sorted.len(), plain.len());
                prop_assert!(sorted.iter().eq(plain.iter()));
            }
            prop_assert!(sorted.is_empty());
        }
    }
}
