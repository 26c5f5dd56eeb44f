//! A partition's state: rows that are read directly and written only by committed steps.

use bytes::Bytes;

use crate::{
    LogError, Role,
    rows::{Rows, Writes},
    timers::Timers,
};

/// First byte of every key: what kind of row it is. The changelog carries stage rows and timers; positions are local.
pub(crate) const STAGE: u8 = b's';
pub(crate) const TIMER: u8 = b't';
pub(crate) const META: u8 = b'm';
/// The one row that says which layout the state has; it travels with the state.
const VERSION: &[u8] = b"v";

/// A view of the state as last committed. Cheap to clone.
#[derive(Clone)]
pub struct State {
    rows: Rows,
}

impl State {
    pub(crate) fn new(rows: Rows) -> Self {
        Self { rows }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Refuses a state of another layout than the role's.
    pub(crate) fn check_version(&self, role: &Role) -> Result<(), LogError> {
        let (Some(version), Some(found)) = (role.state_version, self.raw(VERSION)?) else { return Ok(()) };
        if *found == version.to_be_bytes() {
            return Ok(());
        }
        let found = found.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Err(LogError::Fatal(format!(
            "the state of the {} has version {found}, and this program knows {version} alone; use the wireroom that wrote \
             it, or start anew under another prefix and data folder",
            role.name
        )))
    }

    /// Puts the version into the first changes that a state gets.
    pub(crate) fn stamp(&self, role: &Role, writes: &mut Writes) -> Result<(), LogError> {
        if let Some(version) = role.state_version
            && !writes.is_empty()
            && self.rows.get(VERSION)?.is_none()
        {
            writes.insert(VERSION.to_vec(), Some(Bytes::copy_from_slice(&version.to_be_bytes())));
        }
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        self.raw(&tagged(STAGE, key))
    }

    /// Rows whose key begins with `prefix`, in key order.
    pub fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        self.scan_from(prefix, &[])
    }

    /// The same, from the one on whose key goes on with `from`.
    pub fn scan_from(
        &self,
        prefix: &[u8],
        from: &[u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        let rows = self.rows.scan(&tagged(STAGE, prefix), from);
        rows.map(|row| row.map(|(key, value)| (key.slice(1..), value)))
    }

    pub(crate) fn raw(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        Ok(self.rows.get(key)?)
    }

    pub(crate) fn raw_scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        self.rows.scan(prefix, &[])
    }

    /// Puts the partition's timers into `timers`.
    pub(crate) fn load_timers(&self, partition: i32, timers: &mut Timers) -> Result<(), LogError> {
        timers.forget(partition);
        for row in self.raw_scan(&[TIMER]) {
            let (key, due) = row?;
            timers.set(partition, &key.slice(1..), read_i64(&due));
        }
        Ok(())
    }
}

pub(crate) fn tagged(tag: u8, key: &[u8]) -> Vec<u8> {
    let mut tagged = Vec::with_capacity(key.len() + 1);
    tagged.push(tag);
    tagged.extend_from_slice(key);
    tagged
}

/// Eight bytes, big-endian; 0 of anything else.
pub(crate) fn read_i64(bytes: &[u8]) -> i64 {
    bytes.try_into().map_or(0, i64::from_be_bytes)
}
