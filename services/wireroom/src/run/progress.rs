//! The progress line of a run on a terminal; quiet elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::{Progress, Role};

pub struct Display {
    line: ProgressBar,
    started: Instant,
    inputs: usize,
}

impl Display {
    pub fn start(inputs: usize, is_endless: bool) -> Self {
        let line = if stderr().is_terminal() && !is_endless {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        Self { line, started: Instant::now(), inputs }
    }

    pub fn show(&self, roles: &[(Role, Progress)]) {
        if self.line.is_hidden() {
            return;
        }
        let of = |name: &str| roles.iter().find(|(role, _)| role.name == name).map(|(_, progress)| progress);
        let records = |name| of(name).map_or(0, Progress::records);
        let waiting = of("fetcher").map_or(0, Progress::pending);
        let elapsed = Duration::from_secs(self.started.elapsed().as_secs());
        self.line.set_message(format!(
            "{} inputs, {waiting} waiting · {} pages read · {} articles decided · {}",
            self.inputs,
            records("extractor"),
            records("cluster"),
            humantime::format_duration(elapsed),
        ));
        self.line.tick();
    }

    pub fn end(&self) {
        self.line.finish_and_clear();
    }
}
