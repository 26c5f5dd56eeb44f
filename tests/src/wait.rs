//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Generous: the machine may be compiling at the same time.
const DEADLINE: Duration = Duration::from_secs(180);

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not within three minutes, naming `what` was waited for.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        pause();
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place where tests sleep: between looks at a condition")]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}
