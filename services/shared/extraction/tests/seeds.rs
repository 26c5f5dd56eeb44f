//! What the fuzzer does (`fuzz/`), done once for each of its seeds, so that it cannot rot.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

#[path = "../fuzz/targets.rs"]
mod targets;

#[test]
fn every_seed_passes_every_target() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut count = 0;
    for seed in fs::read_dir(seeds).unwrap() {
        let bytes = fs::read(seed.unwrap().path()).unwrap();
        // Also cut short, as a fuzzer would.
        for bytes in [bytes.as_slice(), bytes.get(..bytes.len() / 2).unwrap()] {
            targets::html(bytes);
            targets::document(bytes);
        }
        count += 1;
    }
    assert!(count >= 10, "{count} seeds");
}
