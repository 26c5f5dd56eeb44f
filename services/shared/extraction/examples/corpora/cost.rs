//! What an extraction costs: its time beside that of the scraper crate's parse alone, and its memory.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use extraction::{Page, extract_html};

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

/// Times each page is read; the quickest counts, as all that makes one slower is noise.
const ROUNDS: usize = 3;

/// What one page costs.
pub struct Cost {
    /// scraper's parse.
    pub parse: Duration,
    /// The whole extraction, its own parse included.
    pub extract: Duration,
    /// Peak of what is allocated above the page, in sizes of the page.
    pub memory: f64,
}

/// Measures a page, both ways in turns.
pub fn cost(page: &Page, html: &str) -> Cost {
    let (mut parse, mut extract, mut peak) = (Duration::MAX, Duration::MAX, usize::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        drop(std::hint::black_box(scraper::Html::parse_document(html)));
        parse = parse.min(start.elapsed());

        let before = LIVE.load(Relaxed);
        PEAK.store(before, Relaxed);
        let start = Instant::now();
        drop(std::hint::black_box(extract_html(page)));
        extract = extract.min(start.elapsed());
        peak = peak.min(PEAK.load(Relaxed) - before);
    }
    Cost { parse, extract, memory: peak as f64 / html.len().max(1) as f64 }
}
