//! The note a role keeps beside its work, to know after a crash what it died on.
//!
//! A small file, written without a sync: it has to outlive the process, not the machine. Its first eight bytes are the
//! [`Action`] under way, then come lines `partition first last deaths`: the batch at work, and records under suspicion.
//! A death counts against a batch only while the stage was at work on it (nobody dies of a commit), and while no other
//! role of the process was in a step (then nobody knows whose death it was; what kills every time is soon alone).

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use crate::{Action, DeadLetter, LogError, Origin, Probe, Record, log::Noter};

/// A record that a process died on so often is not tried again.
const POISON_DEATHS: u32 = 3;
const ACTION_BYTES: usize = 8;
/// In place of an action: nothing is under way.
const IDLE: &str = "idle";
/// In place of an action, until the first: the last process died in a step of this role.
const DIED_IN_A_STEP: &str = "died";

/// The note of one role in one data folder.
pub(crate) struct Attempts {
    role: &'static str,
    file: Arc<File>,
    suspects: Vec<Span>,
}

/// Offsets `first..=last` of a partition, and the deaths counted against each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    partition: i32,
    first: i64,
    last: i64,
    deaths: u32,
}

impl Attempts {
    /// Opens the note `folder/role`, counting a death where the last process died at work.
    pub(crate) fn open(folder: &Path, role: &'static str) -> Result<Self, LogError> {
        let path = folder.join(role);
        let failed = |cause: std::io::Error| {
            LogError::Fatal(format!(
                "the note {} cannot be kept: {cause}; is the data folder writable?",
                path.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let mut note = String::new();
        // What is not text is no note of ours: begin anew.
        let _ = file.read_to_string(&mut note).map_err(|_| note.clear());
        let died_at_work = word(&note) == Action::Work.as_str() && !others_were_in_a_step(folder, role);
        let mut suspects: Vec<Span> = Vec::new();
        for (line, text) in note.get(ACTION_BYTES..).unwrap_or_default().lines().enumerate() {
            let Some(mut span) = Span::parse(text) else { continue };
            let at_work = line < note_batch_lines(&note);
            if at_work && died_at_work {
                span.deaths += 1;
            }
            if span.deaths > 0 {
                suspects.push(span);
            }
        }
        let attempts = Self { role, file: Arc::new(file), suspects };
        // The other roles, opened after this one, have to see what it was at.
        attempts.write(if is_in_a_step(&note) { DIED_IN_A_STEP } else { IDLE }, &[]);
        Ok(attempts)
    }

    /// How many records the next batch may have: one while any of the partitions held is under suspicion.
    pub(crate) fn limit(&self, wanted: usize, is_held: impl Fn(i32) -> bool) -> usize {
        if self.suspects.iter().any(|span| is_held(span.partition)) { wanted.min(1) } else { wanted }
    }

    /// The dead letter of a record that processes died on too often.
    pub(crate) fn poison(&self, batch: &[Record]) -> Option<DeadLetter> {
        let record = batch.iter().find(|record| self.deaths(&record.origin) >= POISON_DEATHS)?;
        let detail = format!("{POISON_DEATHS} processes died while at work on this record");
        Some(DeadLetter { attempts: POISON_DEATHS, ..DeadLetter::of(record, "poison", detail) })
    }

    /// Notes every action, then tells `also`.
    pub(crate) fn noter(&self, also: Option<Probe>) -> Noter {
        let (file, role) = (self.file.clone(), self.role);
        Arc::new(move |action| {
            let word = format!("{:<ACTION_BYTES$}", action.as_str());
            let _ = file.write_all_at(word.as_bytes(), 0);
            also.iter().for_each(|probe| probe(role, action));
        })
    }

    /// Notes what the stage is about to work on.
    pub(crate) fn working(&self, batch: &[Record]) {
        let mut spans: Vec<Span> = Vec::new();
        for Record { origin, .. } in batch {
            let deaths = self.deaths(origin);
            match spans.iter_mut().find(|s| s.partition == origin.partition && s.deaths == deaths) {
                Some(span) => span.last = origin.offset,
                None => spans.push(Span {
                    partition: origin.partition,
                    first: origin.offset,
                    last: origin.offset,
                    deaths,
                }),
            }
        }
        self.write(Action::Work.as_str(), &spans);
    }

    /// The batch is committed: records up to `last` of the partition are beyond suspicion.
    pub(crate) fn committed(&mut self, taken: impl Iterator<Item = (i32, i64)>) {
        for (partition, last) in taken {
            for span in self.suspects.iter_mut().filter(|s| s.partition == partition) {
                span.first = span.first.max(last + 1);
            }
        }
        self.suspects.retain(|s| s.first <= s.last);
        self.write(IDLE, &[]);
    }

    fn deaths(&self, origin: &Origin) -> u32 {
        let on = |s: &&Span| s.partition == origin.partition && (s.first..=s.last).contains(&origin.offset);
        self.suspects.iter().filter(on).map(|s| s.deaths).max().unwrap_or(0)
    }

    /// A note that cannot be written costs only the memory of a crash; the disk's own errors show elsewhere.
    fn write(&self, word: &str, batch: &[Span]) {
        let mut note = format!("{word:<ACTION_BYTES$}{}\n", batch.len());
        for span in batch.iter().chain(&self.suspects) {
            let Span { partition, first, last, deaths } = span;
            note.push_str(&format!("{partition} {first} {last} {deaths}\n"));
        }
        let _ =
            self.file.set_len(note.len() as u64).and_then(|()| self.file.write_all_at(note.as_bytes(), 0));
    }
}

fn word(note: &str) -> &str {
    note.get(..ACTION_BYTES).unwrap_or_default().trim_end()
}

fn is_in_a_step(note: &str) -> bool {
    !matches!(word(note), "" | IDLE) && word(note) != Action::Read.as_str()
}

fn others_were_in_a_step(folder: &Path, role: &str) -> bool {
    let Ok(notes) = std::fs::read_dir(folder) else { return false };
    let others = notes.flatten().filter(|entry| entry.file_name() != role);
    others.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).any(|note| is_in_a_step(&note))
}

/// The first line says how many of those after it are the batch at work; counted with itself.
fn note_batch_lines(note: &str) -> usize {
    let first = note.get(ACTION_BYTES..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    first.parse::<usize>().map_or(0, |n| n + 1)
}

impl Span {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next()?.parse::<i64>().ok();
        let [partition, first, last, deaths] = [next()?, next()?, next()?, next()?];
        Some(Self { partition: partition as i32, first, last, deaths: deaths as u32 })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn is_poison(attempts: &Attempts, record: &Record) -> bool {
        attempts.poison(std::slice::from_ref(record)).is_some()
    }

    fn record(offset: i64) -> Record {
        let origin = Origin { topic: "t".into(), partition: 0, offset };
        Record { origin, key: Bytes::new(), value: None, headers: vec![], written_at_ms: 0 }
    }

    #[test]
    fn the_third_death_on_a_record_makes_it_poison() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Attempts::open(folder.path(), "r").unwrap();
        let batch: Vec<_> = (0..10).map(record).collect();

        let first = open();
        assert_eq!(first.limit(100, |_| true), 100);
        first.working(&batch);
        drop(first); // the first death: on the whole batch

        for deaths in 1..3 {
            let mut process = open();
            assert_eq!(process.limit(100, |_| true), 1, "batches are of one");
            if deaths == 1 {
                process.working(&batch[..1]);
                process.committed([(0, 0)].into_iter());
            }
            assert!(!is_poison(&process, &batch[1]));
            process.working(&batch[1..2]); // and dies on record 1
        }

        let mut last = open();
        assert!(is_poison(&last, &batch[1]));
        assert!(!is_poison(&last, &batch[2]));
        last.committed([(0, 9)].into_iter());
        assert_eq!(last.limit(100, |_| true), 100);
        assert_eq!(open().limit(100, |_| true), 100);
    }

    #[test]
    fn no_death_counts_while_another_role_was_in_a_step() {
        let folder = tempfile::tempdir().unwrap();
        let open = |role| Attempts::open(folder.path(), role).unwrap();
        for others_word in [Action::Commit, Action::Read] {
            let (this, other) = (open("this"), open("other"));
            this.working(&[record(0)]);
            other.noter(None)(others_word);
            // Whichever is opened first.
            let (_other, this) = (open("other"), open("this"));
            let is_suspect = this.limit(100, |_| true) == 1;
            assert_eq!(is_suspect, others_word == Action::Read);
        }
    }

    #[test]
    fn nobody_dies_of_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let attempts = Attempts::open(folder.path(), "r").unwrap();
        attempts.working(&[record(0)]);
        attempts.noter(None)(Action::Commit);
        assert_eq!(Attempts::open(folder.path(), "r").unwrap().limit(100, |_| true), 100);
    }
}
