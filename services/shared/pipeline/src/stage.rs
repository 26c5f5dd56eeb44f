//! The loop of a stage that computes: read, work, commit.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use trace::Tracer;
use tracing::{error, warn};

use crate::{
    DeadLetter, Inputs, Limits, Log, LogError, Origin, Progress, Shutdown, State, Step, metrics::RoleMetrics,
    spans::Spans,
};

/// What a role makes of its input. No I/O but through the step: a step may be thrown away and made again.
pub trait Stage: Send {
    /// A partition was gained, or a step did not happen: derive from its state whatever is kept in memory, anew.
    fn assigned(&mut self, _partition: i32, _state: &State) -> Result<(), LogError> {
        Ok(())
    }

    /// A partition was lost: forget what was kept for it.
    fn revoked(&mut self, _partition: i32) {}

    /// Puts what comes of the input into `step`. Input that cannot be processed goes to the step's dead letters; an
    /// error means that something outside failed, and the same input will be tried again.
    fn process(&mut self, inputs: &Inputs, step: &mut Step) -> Result<(), LogError>;
}

/// How a stage runs.
#[derive(Clone)]
pub struct Settings {
    /// How much it takes at once.
    pub limits: Limits,
    /// How long it waits for input before it looks whether to stop.
    pub wait: Duration,
    /// What it tells of itself.
    pub progress: Progress,
    /// What tells it to stop.
    pub shutdown: Shutdown,
    /// What it counts.
    pub metrics: RoleMetrics,
    /// What it tells the way of a record to.
    pub tracer: Tracer,
}

/// Runs a stage until shutdown is requested, or until the log fails for good.
///
/// Inputs count as taken when the stage returns. A panic is met by working record by record, and the record that panics
/// alone goes to the dead letters with reason `panic`.
pub fn run(log: &mut dyn Log, stage: &mut dyn Stage, settings: &Settings) -> Result<(), LogError> {
    repeat(log, settings, |log| turn(log, stage, settings))
}

/// Takes turns until shutdown is requested, or until the log fails for good. A turn that fails for a passing reason is
/// given up: the log is rewound, and after a pause that grows with the failures in a row comes the next.
pub fn repeat(
    log: &mut dyn Log,
    settings: &Settings,
    mut turn: impl FnMut(&mut dyn Log) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut failures: u32 = 0;
    while !settings.shutdown.is_requested() {
        match turn(log) {
            Ok(()) => failures = 0,
            Err(failure) if failure.is_transient() => {
                failures += 1;
                settings.metrics.retries.inc();
                warn!(%failure, failures, "step failed");
                log.rewind()?;
                settings.progress.set_ready(log.is_settled());
                settings.shutdown.wait(Duration::from_millis(50 << failures.min(6)));
            }
            Err(fatal) => return Err(fatal),
        }
    }
    Ok(())
}

fn turn(log: &mut dyn Log, stage: &mut dyn Stage, settings: &Settings) -> Result<(), LogError> {
    let mut inputs = log.poll(settings.limits, settings.wait)?;
    settings.progress.set_ready(log.is_settled());
    for partition in &inputs.revoked {
        stage.revoked(*partition);
    }
    for partition in &inputs.assigned {
        if let Some(state) = log.state(*partition) {
            stage.assigned(*partition, &state)?;
        }
    }
    if inputs.records.is_empty() && inputs.timers.is_empty() {
        let idle = inputs.is_empty() && settings.progress.is_watched() && log.is_at_end()?;
        settings.progress.polled(idle);
        return Ok(());
    }
    settings.progress.polled(false);
    let metrics = &settings.metrics;
    let records = inputs.records.len();
    let spans = Spans::begin(&settings.tracer, metrics.role, &mut inputs.records);
    let started = metrics.processing_seconds.start_timer();
    let (step, is_sound) = work(log, stage, inputs)?;
    started.observe_duration();
    let (produced, letters) = (step.outputs.len() as u64, step.dead_letters.clone());
    log.commit(step)?;
    // What is tried again is counted once.
    metrics.consumed.inc_by(records as u64);
    metrics.produced.inc_by(produced);
    metrics.count_dead_letters(&letters);
    tell_dead_letters(metrics.role, &letters);
    settings.progress.committed(records);
    if is_sound {
        spans.end(&letters);
    } else {
        // Which of the records are in it is not told: the others will be worked on again.
        log.rewind()?;
    }
    Ok(())
}

/// A line for each reason, with the first record that it was for: a topic that nobody can read is one line a step.
fn tell_dead_letters(role: &str, letters: &[DeadLetter]) {
    let mut by_reason = BTreeMap::<&str, (usize, &DeadLetter)>::new();
    for letter in letters {
        by_reason.entry(letter.reason).or_insert((0, letter)).0 += 1;
    }
    for (reason, (dead, first)) in by_reason {
        let Origin { topic, partition, offset } = &first.origin;
        let trace_id = trace::sampled(&first.headers).map(|id| format!("{id:032x}"));
        warn!(
            role,
            reason,
            dead,
            topic,
            partition,
            offset,
            trace_id,
            detail = first.detail,
            "dead letters written; the first"
        );
    }
}

/// The step of the inputs, and whether the stage is still sound. A panic leaves in its memory what nobody can know: then
/// the step ends with the record that panicked, and after it everything is derived and read anew.
fn work(log: &mut dyn Log, stage: &mut dyn Stage, inputs: Inputs) -> Result<(Step, bool), LogError> {
    let mut step = log.step();
    if let Ok(done) = catch_unwind(AssertUnwindSafe(|| stage.process(&inputs, &mut step))) {
        done?;
        inputs.records.iter().for_each(|record| step.take(&record.origin));
        return Ok((step, true));
    }
    error!(records = inputs.records.len(), "panic in a stage: going record by record");
    rebuild(log, stage)?;
    let mut step = log.step();
    let timers = Inputs { timers: inputs.timers, ..Inputs::default() };
    match catch_unwind(AssertUnwindSafe(|| stage.process(&timers, &mut step))) {
        Ok(done) => done?,
        Err(_) => return Err(LogError::Aborted("the stage panicked on its timers".to_owned())),
    }
    for record in inputs.records {
        let single = Inputs { records: vec![record.clone()], ..Inputs::default() };
        let mut trial = step.clone();
        match catch_unwind(AssertUnwindSafe(|| stage.process(&single, &mut trial))) {
            Ok(done) => {
                done?;
                step = trial;
                step.take(&record.origin);
            }
            Err(_) => {
                step.dead_letter(DeadLetter::of(&record, "panic", "the stage panicked on this record"));
                step.take(&record.origin);
                return Ok((step, false));
            }
        }
    }
    Ok((step, true))
}

/// What the stage keeps in memory may be ahead of what was committed: derive it anew.
fn rebuild(log: &mut dyn Log, stage: &mut dyn Stage) -> Result<(), LogError> {
    for partition in log.assignment() {
        stage.revoked(partition);
        if let Some(state) = log.state(partition) {
            stage.assigned(partition, &state)?;
        }
    }
    Ok(())
}
