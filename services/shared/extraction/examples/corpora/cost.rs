//! What an extraction costs: its time on the CPU beside that of the scraper crate's parse alone, and its memory.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use extraction::{Page, extract_html};
use nix::time::ClockId;

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
pub fn cost(page: &Page, html: &str) -> nix::Result<Cost> {
    let (mut parse, mut extract, mut peak) = (Duration::MAX, Duration::MAX, usize::MAX);
    for _ in 0..ROUNDS {
        parse = parse.min(time(|| scraper::Html::parse_document(html))?);

        let before = LIVE.load(Relaxed);
        PEAK.store(before, Relaxed);
        extract = extract.min(time(|| extract_html(page))?);
        peak = peak.min(PEAK.load(Relaxed) - before);
    }
    Ok(Cost { parse, extract, memory: peak as f64 / html.len().max(1) as f64 })
}

/// What this thread spends on the CPU to make something and drop it; what else the machine does is not in it.
fn time<T>(make: impl FnOnce() -> T) -> nix::Result<Duration> {
    let now = || ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from);
    let start = now()?;
    drop(std::hint::black_box(make()));
    Ok(now()?.saturating_sub(start))
}

/// CPU of all extractions over that of all parses.
pub fn ratio(costs: &[Cost]) -> f64 {
    let sum = |of: fn(&Cost) -> Duration| costs.iter().map(of).sum::<Duration>().as_secs_f64();
    sum(|cost| cost.extract) / sum(|cost| cost.parse)
}

/// The memory that so many of a hundred pages do not exceed, in sizes of the page.
pub fn memory(costs: &mut [Cost], percent: usize) -> f64 {
    costs.sort_by(|a, b| a.memory.total_cmp(&b.memory));
    let at = (costs.len() * percent / 100).min(costs.len().saturating_sub(1));
    costs.get(at).map_or(0.0, |cost| cost.memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_that_of_the_thread() {
        let work = || (0..3_000_000_u64).map(std::hint::black_box).sum::<u64>();
        let own = time(work).unwrap();
        let others = time(|| std::thread::spawn(work).join().unwrap()).unwrap();
        assert!(others < own / 2, "{others:?} while another works, {own:?} of its own");
    }

    #[test]
    fn costs_are_summed_and_ranked() {
        let of = |(extract, memory)| Cost {
            parse: Duration::from_millis(10),
            extract: Duration::from_millis(extract),
            memory,
        };
        let mut costs = [(15, 4.0), (25, 9.0), (11, 1.0)].map(of);
        assert!((ratio(&costs) - 1.7).abs() < 1e-9);
        for (percent, expected) in [(0, 1.0), (50, 4.0), (99, 9.0), (100, 9.0)] {
            assert_eq!(memory(&mut costs, percent), expected, "{percent}");
        }
        assert_eq!(memory(&mut [], 99), 0.0);
    }

    #[test]
    fn a_pages_memory_is_counted() {
        let html = "<p>The council voted on Tuesday to repair the pier.</p>".repeat(100);
        let cost = cost(&Page { bytes: html.as_bytes(), ..Page::default() }, &html).unwrap();
        assert!(cost.memory > 0.5, "{}", cost.memory);
        assert!(!cost.parse.is_zero() && !cost.extract.is_zero());
    }
}
