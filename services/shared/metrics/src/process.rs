//! What the Prometheus client tells of the process itself, on Linux. Its names are every Prometheus client's.

use crate::{Kind, Metric};

const fn of(name: &'static str, kind: Kind, unit: &'static str, help: &'static str) -> Metric {
    Metric { of: "every process", name, kind, labels: &[], unit, help, buckets: &[], register: || {} }
}

pub(crate) static METRICS: &[Metric] = &[
    of("process_cpu_seconds_total", Kind::Counter, "seconds", "CPU time spent."),
    of("process_max_fds", Kind::Gauge, "files", "Files that may be open."),
    of("process_open_fds", Kind::Gauge, "files", "Files that are open."),
    of("process_resident_memory_bytes", Kind::Gauge, "bytes", "Memory held."),
    of("process_start_time_seconds", Kind::Gauge, "Unix seconds", "When the process started."),
    of("process_threads", Kind::Gauge, "threads", "Threads of the operating system."),
    of("process_virtual_memory_bytes", Kind::Gauge, "bytes", "Address space in use."),
];
