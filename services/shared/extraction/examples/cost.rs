//! JSON lines `{"id","html"}` in; what extraction costs beside `scraper`'s parse alone, and its memory, out.
//!
//! `ratio` is the time of the whole of `extract_html`, its own parse included, over that of scraper's parse of the same
//! page; `memory` is the peak of what it allocates above the page, in sizes of the page.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{BufRead, Write},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use extraction::{Page, extract_html};
use serde::{Deserialize, Serialize};

/// The system's allocator, counting.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // A growing block may be in two places for a moment.
        grow(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Deserialize)]
struct Line {
    id: String,
    url: Option<String>,
    html: String,
}

#[derive(Serialize)]
struct Summary {
    pages: usize,
    bytes: usize,
    /// Of the sums over all pages.
    parse_ms: f64,
    extract_ms: f64,
    ratio: f64,
    /// The median of the pages' own.
    median_ratio: f64,
    /// Microseconds.
    median_extract_us: u128,
    median_memory: f64,
    p99_memory: f64,
    max_memory: f64,
    max_memory_page: String,
    max_memory_bytes: usize,
}

/// Times each page is read; the quickest counts, as all that makes one slower is noise.
const ROUNDS: usize = 3;

struct Cost {
    id: String,
    bytes: usize,
    parse: Duration,
    extract: Duration,
    memory: f64,
}

fn main() -> std::io::Result<()> {
    let mut costs = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        if !line.html.is_empty() {
            // Tables are built with the first page.
            if costs.is_empty() {
                cost(&line);
            }
            costs.push(cost(&line));
        }
    }
    if let Some(summary) = summary(costs) {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &summary)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn cost(line: &Line) -> Cost {
    let page = Page {
        bytes: line.html.as_bytes(),
        url: line.url.as_deref(),
        content_type: Some("text/html; charset=utf-8"),
        ..Page::default()
    };
    let (mut parse, mut extract, mut peak) = (Duration::MAX, Duration::MAX, usize::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        drop(std::hint::black_box(scraper::Html::parse_document(&line.html)));
        parse = parse.min(start.elapsed());

        let before = LIVE.load(Relaxed);
        PEAK.store(before, Relaxed);
        let start = Instant::now();
        drop(std::hint::black_box(extract_html(&page)));
        extract = extract.min(start.elapsed());
        peak = peak.min(PEAK.load(Relaxed) - before);
    }
    let memory = peak as f64 / line.html.len() as f64;
    Cost { id: line.id.clone(), bytes: line.html.len(), parse, extract, memory }
}

fn summary(mut costs: Vec<Cost>) -> Option<Summary> {
    let millis = |of: fn(&Cost) -> Duration| costs.iter().map(of).sum::<Duration>().as_secs_f64() * 1e3;
    let (parse_ms, extract_ms) = (millis(|c| c.parse), millis(|c| c.extract));
    let ratio = |c: &Cost| c.extract.as_secs_f64() / c.parse.as_secs_f64();
    costs.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let median_ratio = ratio(costs.get(costs.len() / 2)?);
    costs.sort_by_key(|c| c.extract);
    let median_extract_us = costs.get(costs.len() / 2)?.extract.as_micros();
    costs.sort_by(|a, b| a.memory.total_cmp(&b.memory));
    let worst = costs.last()?;
    Some(Summary {
        pages: costs.len(),
        bytes: costs.iter().map(|c| c.bytes).sum(),
        parse_ms,
        extract_ms,
        ratio: extract_ms / parse_ms,
        median_ratio,
        median_extract_us,
        median_memory: costs.get(costs.len() / 2)?.memory,
        p99_memory: costs.get(costs.len() * 99 / 100)?.memory,
        max_memory: worst.memory,
        max_memory_page: worst.id.clone(),
        max_memory_bytes: worst.bytes,
    })
}
