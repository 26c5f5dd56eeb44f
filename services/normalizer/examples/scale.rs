//! What an article costs the decider when its state is large: `scale [ARTICLES [WINDOW]]`, 10 million of which 3 million
//! are in the window unless told. Prints one `name value unit` a line.
//!
//! The articles are made up as they are needed. They repeat words as real news does (Zipf's law, 1/rank) and stock phrases
//! besides; one in ten is a copy of an earlier one: re-worded in places, cut short, or with a text of the outlet's own. One
//! in five was asked for under another address than its own.
//! CPU is that of the whole process, the store's own threads included, less what making the articles took.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement fails by panicking"
)]

use std::{fmt::Write, time::Duration};

use article::{ArticleId, CanonicalUrl};
use fastrand::Rng;
use nix::time::{ClockId, clock_gettime};
use normalizer::{CLUSTER_ROLE, Cluster, ClusterSettings, prepare};
use pipeline::{
    Clock, Inputs, Limits, Log, Origin, Record, Stage,
    embedded::{Embedded, Options},
};
use prost::Message;
use wire::{Article, Change, Prepared, Publisher};

/// Copies come within so many windows: a day, about.
const NEWS_CYCLE: f64 = 1.0 / 15.0;
const BATCH: u64 = 256;
const WINDOW_MS: u64 = 14 * 24 * 3_600_000;
const OUTLETS: u64 = 3_000;
const WORDS: usize = 60_000;
const PHRASES: usize = 5_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let articles = arguments.next().unwrap_or(10_000_000);
    let window = arguments.next().unwrap_or(3_000_000).min(articles);
    let folder = tempfile::tempdir().unwrap();
    let log = Embedded::open(folder.path(), &Options::default()).unwrap();
    let mut role = log.role(CLUSTER_ROLE).unwrap();
    let mut stage = Cluster::new(Clock::system(), ClusterSettings::default());
    let none = Limits { records: 0, bytes: 0, timers: 0 };
    for partition in role.poll(none, Duration::ZERO).unwrap().assigned {
        stage.assigned(partition, &role.state(partition).unwrap()).unwrap();
    }

    let press = Press::new(window);
    let (mut making, mut preparing, mut deciding, mut committing) = Default::default();
    let mut found = Found::default();
    let mut lap = Lap::start();
    let progress_every = articles.div_ceil(20).next_multiple_of(BATCH);
    for first in (0..articles).step_by(BATCH as usize) {
        let made: Vec<Article> = (first..articles.min(first + BATCH)).map(|n| press.article(n)).collect();
        lap.add_to(&mut making);
        let prepared: Vec<Prepared> = made.into_iter().map(prepare).collect();
        lap.add_to(&mut preparing);
        let records = (first..).zip(&prepared).map(|(n, prepared)| record(n, prepared)).collect();
        lap.add_to(&mut making);
        let mut step = role.step();
        stage.process(&Inputs { records, ..Inputs::default() }, &mut step).unwrap();
        lap.add_to(&mut deciding);
        for output in step.take_outputs().iter().filter(|output| output.topic == "changes") {
            found.count(&press, &Change::decode(output.value.clone().unwrap()).unwrap());
        }
        lap.add_to(&mut making);
        role.commit(step).unwrap();
        lap.add_to(&mut committing);
        if first % progress_every == 0 && first > 0 {
            eprintln!(
                "{first} articles: prepare {:.1} decide {:.1} commit {:.1} us, {} MB",
                preparing / first as f64,
                deciding / first as f64,
                committing / first as f64,
                peak_memory_mb()
            );
        }
    }
    drop((role, stage, log));
    lap.add_to(&mut committing);
    let whole = cpu_us(ClockId::CLOCK_PROCESS_CPUTIME_ID) - making;
    let each = articles as f64;
    println!("decider_articles_per_cpu_second {:.0} articles/s", 1e6 * each / whole);
    println!("decider_prepare {:.1} us", preparing / each);
    println!("decider_decide {:.1} us", deciding / each);
    println!("decider_store {:.1} us", (whole - preparing - deciding) / each);
    println!("decider_state {:.0} bytes/article", disk_bytes(folder.path()) as f64 / each);
    println!("decider_memory {} MB", peak_memory_mb());
    let candidates = &metrics::NORMALIZER_CANDIDATES;
    println!(
        "decider_candidates {:.2} a query",
        candidates.get_sample_sum() / candidates.get_sample_count() as f64
    );
    println!("decider_hits {:.2} a query", (found.joined + found.wrongly) as f64 / each);
    println!("decider_copies_found {:.4} ratio", found.joined as f64 / press.copies_of(articles) as f64);
    println!("decider_originals_joined {} articles", found.wrongly);
}

/// What was found, told from the changes.
#[derive(Default)]
struct Found {
    joined: u64,
    wrongly: u64,
}

impl Found {
    fn count(&mut self, press: &Press, change: &Change) {
        let number = |url: &str| url.rsplit('/').next().and_then(|n| n.parse::<u64>().ok());
        let Some(own) = number(&change.url) else { return };
        for occurrence in &change.occurrences {
            let other = number(&occurrence.url).unwrap_or_default();
            let original = |n: u64| press.copied(n).unwrap_or(n);
            // Each occurrence is told again with every version: the newest one counts.
            if Some(&occurrence.url) == change.occurrences.last().map(|last| &last.url) {
                let is_right = original(own) == original(other);
                self.joined += u64::from(is_right);
                self.wrongly += u64::from(!is_right);
            }
        }
    }
}

/// Makes articles up; the same number is the same article.
struct Press {
    words: Vec<String>,
    phrases: Vec<Vec<u32>>,
    ms_between: u64,
    news_cycle: u64,
}

impl Press {
    fn new(window: u64) -> Self {
        let mut random = Rng::with_seed(0);
        let syllables = [
            "ba", "con", "di", "er", "fo", "gra", "hu", "in", "jo", "ke", "lan", "mo", "ny", "or", "pe",
            "qui",
        ];
        let word = |mut n: usize| {
            let mut word = String::new();
            while n > 0 || word.is_empty() {
                word += syllables[n % syllables.len()];
                n /= syllables.len();
            }
            word
        };
        let phrases = (0..PHRASES).map(|_| {
            let words = random.u32(5..10);
            (0..words).map(|_| ranked(WORDS, &mut random)).collect()
        });
        Self {
            phrases: phrases.collect(),
            words: (0..WORDS).map(word).collect(),
            ms_between: WINDOW_MS / window,
            news_cycle: (window as f64 * NEWS_CYCLE) as u64,
        }
    }

    /// Which article another one copies.
    fn copied(&self, number: u64) -> Option<u64> {
        let mut random = Rng::with_seed(number ^ 0x00c0_ffee);
        if number == 0 || random.f64() >= 0.1 {
            return None;
        }
        let original = number - 1 - random.u64(0..self.news_cycle.min(number));
        Some(self.copied(original).unwrap_or(original))
    }

    fn copies_of(&self, articles: u64) -> u64 {
        (0..articles).filter(|n| self.copied(*n).is_some()).count() as u64
    }

    fn article(&self, number: u64) -> Article {
        let original = self.copied(number);
        let mut text = self.text(original.unwrap_or(number));
        let mut random = Rng::with_seed(number ^ 0x0fed_1700);
        if original.is_some() {
            match random.u64(0..4) {
                0 => {}
                1 => {
                    for word in &mut text {
                        if *word != BREAK && random.f64() < 0.03 {
                            *word = ranked(WORDS, &mut random);
                        }
                    }
                }
                2 => text.truncate(text.len() * 7 / 10),
                _ => {
                    text.push(BREAK);
                    text.extend((0..40).map(|_| ranked(WORDS, &mut random)));
                }
            }
        }
        let domain = format!("outlet-{}.example", random.u64(0..OUTLETS));
        let at_ms = (1_700_000_000_000 + number * self.ms_between) as i64;
        let mut body_text = String::with_capacity(text.len() * 6);
        for word in text {
            match word {
                BREAK if body_text.is_empty() || body_text.ends_with('\n') => {}
                BREAK => body_text.push_str(".\n\n"),
                word => {
                    let space = if body_text.is_empty() || body_text.ends_with('\n') { "" } else { " " };
                    write!(body_text, "{space}{}", self.words[word as usize]).unwrap();
                }
            }
        }
        let url = format!("https://{domain}/news/{number}");
        Article {
            article_id: ArticleId::of_url(&CanonicalUrl::parse(&url).unwrap()).as_str().to_owned(),
            requested_url: if random.u64(0..5) == 0 { format!("{url}/feed") } else { url.clone() },
            url,
            headline: body_text.chars().take(60).collect(),
            published_at: jiff::Timestamp::from_millisecond(at_ms).unwrap().to_string(),
            seen_at_ms: at_ms,
            fetched_at_ms: at_ms,
            language: "en".to_owned(),
            publisher: Some(Publisher { name: domain.clone(), domain }),
            verdict: "article".to_owned(),
            body_text,
            ..Article::default()
        }
    }

    /// The words of an original: 450 in the mean, in paragraphs.
    fn text(&self, number: u64) -> Vec<u32> {
        let mut random = Rng::with_seed(number);
        let length = random.usize(150..750);
        let mut text = Vec::with_capacity(length + 16);
        while text.len() < length {
            if random.f64() < 0.01 {
                let phrase = ranked(PHRASES, &mut random) as usize;
                text.extend(&self.phrases[phrase]);
            } else if random.f64() < 0.02 {
                text.push(BREAK);
            } else {
                text.push(ranked(WORDS, &mut random));
            }
        }
        text
    }
}

/// One of `count` things, each as frequent as its rank says (Zipf's law with exponent 1).
fn ranked(count: usize, random: &mut Rng) -> u32 {
    ((count as f64).powf(random.f64()) as u32).saturating_sub(1)
}

/// Between two paragraphs.
const BREAK: u32 = u32::MAX;

fn record(number: u64, prepared: &Prepared) -> Record {
    let origin = Origin { topic: "prepared".to_owned(), partition: 0, offset: number as i64 };
    let value = Some(prepared.encode_to_vec().into());
    Record { origin, key: Default::default(), value, headers: Vec::new(), written_at_ms: i64::MAX }
}

/// CPU time of this thread since the last lap, in microseconds.
struct Lap(f64);

impl Lap {
    fn start() -> Self {
        Self(cpu_us(ClockId::CLOCK_THREAD_CPUTIME_ID))
    }

    fn add_to(&mut self, sum: &mut f64) {
        let now = cpu_us(ClockId::CLOCK_THREAD_CPUTIME_ID);
        *sum += now - self.0;
        self.0 = now;
    }
}

fn cpu_us(clock: ClockId) -> f64 {
    let time = clock_gettime(clock).unwrap();
    time.tv_sec() as f64 * 1e6 + time.tv_nsec() as f64 / 1e3
}

fn disk_bytes(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(
            |entry| {
                if entry.path().is_dir() {
                    disk_bytes(&entry.path())
                } else {
                    entry.metadata().unwrap().len()
                }
            },
        )
        .sum()
}

/// The most memory this process ever held.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
