//! stub
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rhythm {
    pub read_at_ms: i64,
    pub interval_ms: i64,
    pub last_new_at_ms: Option<i64>,
    pub items_per_hour: f64,
    pub items: u32,
}
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub read_at_ms: i64,
    pub new_items: usize,
    pub least_interval_ms: Option<i64>,
}
impl Rhythm {
    pub fn after(&self, reading: &Reading, least_ms: i64, longest_ms: i64) -> Self {
        let interval_ms =
            (1_800_000_i64).clamp(least_ms, longest_ms).max(reading.least_interval_ms.unwrap_or(0));
        Self {
            read_at_ms: reading.read_at_ms,
            interval_ms,
            last_new_at_ms: if reading.new_items > 0 {
                Some(reading.read_at_ms)
            } else {
                self.last_new_at_ms
            },
            items_per_hour: 0.0,
            items: self.items + reading.new_items as u32,
        }
    }
    pub fn next_at_ms(&self) -> i64 {
        self.read_at_ms + self.interval_ms
    }
    pub fn silence(&self, now_ms: i64) -> Option<i64> {
        self.last_new_at_ms.filter(|at| now_ms - at > 864_000_000)
    }
}
