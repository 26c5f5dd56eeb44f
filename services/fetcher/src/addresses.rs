//! How many hosts of one address are asked at a time. Many a name may stand for one machine.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is being asked. Clones share it.
#[derive(Clone)]
pub(crate) struct Addresses {
    most: usize,
    asked: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The right to ask an address, until it is dropped.
pub(crate) struct Asking {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    /// At most `most` of each at a time.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), asked: Arc::default() }
    }

    /// The right to ask `address`; `None` where as many as allowed do.
    pub(crate) fn ask(&self, address: IpAddr) -> Option<Asking> {
        let mut asked = self.lock();
        let count = asked.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Asking { addresses: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut asked = self.addresses.lock();
        if let Some(count) = asked.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                asked.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_and_no_more() {
        let addresses = Addresses::new(2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse::<IpAddr>().unwrap());
        let first = addresses.ask(one).unwrap();
        let _second = addresses.ask(one).unwrap();
        assert!(addresses.ask(one).is_none());
        assert!(addresses.ask(other).is_some());
        drop(first);
        assert!(addresses.ask(one).is_some());
        assert_eq!(addresses.lock().len(), 1, "what is not asked is not kept");
    }
}
