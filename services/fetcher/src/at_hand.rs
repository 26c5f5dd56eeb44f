//! Rows of the frontier that are read again soon, kept in memory: those of the hosts that were last asked.
//!
//! What is here is what the state says once the step in the making is committed: whoever writes a row writes it here, too,
//! or forgets it. A step that did not happen ends the frontier, and this with it. What is forgotten is read from the state.

use std::collections::HashMap;

use crawl::RobotsFile;
use pipeline::Record;
use wire::QueueTicket;

use crate::frontier::HostRow;

/// Hosts of which something is kept, of a partition; all are forgotten when there are more.
const MAX_HOSTS: usize = 512;
/// Longest request, and longest robots.txt files of a host together, that are kept, in bytes.
const MAX_BYTES: usize = 8 << 10;

/// See the [module's documentation](self).
#[derive(Default)]
pub(crate) struct AtHand(HashMap<String, HostAtHand>);

/// Of one host; what is `None` is not known here.
#[derive(Default)]
pub(crate) struct HostAtHand {
    pub row: Option<HostRow>,
    pub robots: Option<Vec<(String, RobotsFile)>>,
    /// The request whose turn it is.
    pub entry: Option<(u64, Record, QueueTicket)>,
}

impl AtHand {
    pub(crate) fn get(&self, domain: &str) -> Option<&HostAtHand> {
        self.0.get(domain)
    }

    pub(crate) fn get_mut(&mut self, domain: &str) -> Option<&mut HostAtHand> {
        self.0.get_mut(domain)
    }

    pub(crate) fn set_row(&mut self, domain: &str, row: &HostRow) {
        self.of(domain).row = Some(row.clone());
    }

    pub(crate) fn set_robots(&mut self, domain: &str, robots: &[(String, RobotsFile)]) {
        let bytes: usize = robots.iter().map(|(_, file)| file.text.len()).sum();
        self.of(domain).robots = (bytes <= MAX_BYTES).then(|| robots.to_vec());
    }

    pub(crate) fn set_entry(&mut self, domain: &str, sequence: u64, record: Record, ticket: QueueTicket) {
        let bytes = record.value.as_ref().map_or(0, bytes::Bytes::len);
        self.of(domain).entry = (bytes <= MAX_BYTES).then_some((sequence, record, ticket));
    }

    /// The entry, if it is this one. It is here no longer.
    pub(crate) fn take_entry(&mut self, domain: &str, sequence: u64) -> Option<(Record, QueueTicket)> {
        let (_, record, ticket) = self.get_mut(domain)?.entry.take_if(|(at, ..)| *at == sequence)?;
        Some((record, ticket))
    }

    fn of(&mut self, domain: &str) -> &mut HostAtHand {
        if self.0.len() >= MAX_HOSTS && !self.0.contains_key(domain) {
            self.0.clear();
        }
        self.0.entry(domain.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_few_and_rows_short() {
        let mut at_hand = AtHand::default();
        for n in 0..=MAX_HOSTS {
            at_hand.set_row(&n.to_string(), &HostRow::default());
        }
        assert_eq!(at_hand.0.len(), 1);
        let file = |bytes| RobotsFile {
            fetched_at_ms: 1,
            availability: crawl::Availability::parse(""),
            text: vec![b'#'; bytes],
        };
        for (bytes, is_kept) in [(MAX_BYTES, true), (MAX_BYTES + 1, false)] {
            at_hand.set_robots("harbour.example", &[("https://harbour.example".to_owned(), file(bytes))]);
            assert_eq!(at_hand.get("harbour.example").unwrap().robots.is_some(), is_kept);
        }
    }
}
