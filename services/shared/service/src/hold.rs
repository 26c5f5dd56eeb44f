//! For crash tests: a role that stops in the middle of a step, so that a kill can fall there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use pipeline::Probe;

/// With `WIREROOM_HOLD_AT=ROLE/ACTION/N` in the environment (`cluster/commit/3`): the Nth time that the role comes to
/// that action of a step, its thread stops there for ever. Whoever waits for it kills the process.
pub fn hold_for_tests() -> Option<Probe> {
    let wish = std::env::var("WIREROOM_HOLD_AT").ok()?;
    let mut words = wish.split('/').map(str::to_owned);
    let (role, action, n) = (words.next()?, words.next()?, words.next()?.parse::<u64>().ok()?);
    let seen = AtomicU64::new(0);
    Some(Arc::new(move |at_role, at_action| {
        if at_role == role && at_action.as_str() == action && seen.fetch_add(1, Ordering::SeqCst) + 1 == n {
            loop {
                thread::park();
            }
        }
    }))
}
