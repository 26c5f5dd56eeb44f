//! SIGTERM and SIGINT: drain, and no longer than the deadline.

use std::{process, thread, time::Duration};

use pipeline::Shutdown;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tracing::{error, info};

/// The first signal asks for shutdown; a second one, or the end of `deadline`, ends the process with code 1. What was
/// open then is as after a crash: nothing is lost, and it is done again.
pub fn stop_on_signals(shutdown: &Shutdown, deadline: Duration) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let shutdown = shutdown.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for (nth, signal) in signals.forever().enumerate() {
            if nth > 0 {
                error!(signal, "told twice: stopping at once");
                process::exit(1);
            }
            info!(signal, "draining");
            shutdown.request();
            // The signals thread has to hear the second one.
            let _ = thread::Builder::new().name("drain deadline".to_owned()).spawn(move || {
                thread::park_timeout(deadline);
                error!(?deadline, "the drain did not end in time");
                process::exit(1);
            });
        }
    })?;
    Ok(())
}
