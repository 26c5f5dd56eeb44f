//! 64 bodies at once that inflate to between a megabyte and a gigabyte, through the fetcher, which passes pages on as they
//! came but reads lists, and then through the extractor: all refused, in bounded memory.

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use wire::Topic;

use crate::{
    figure, part,
    run::{self, config, resident_mb},
    web::{Web, host},
};

const BOMBS: usize = 64;
/// What comes out, in bytes.
const SIZES: [u64; 4] = [1 << 20, 30 << 20, 256 << 20, 1 << 30];
/// What follows the head, over and over: nothing, the deepest of trees, and the longest of attributes.
const FILLINGS: [&[u8]; 3] = [&[0; 64], b"<b><i>", b"<a href=\""];

/// An answer.
pub struct Bomb {
    /// Of the answer, a line each.
    pub headers: &'static str,
    /// Compressed.
    pub body: Bytes,
}

pub fn measure() -> Result<()> {
    let (web, folder) = (Web::open("bombs")?, tempfile::tempdir()?);
    let data = folder.path().display();
    let fetcher = part("bombs", &[&web.port, &data])?;
    let extractor = part("extract", &[&data])?;
    let refused = figure(&fetcher, "refused")? + figure(&extractor, "refused")?;
    println!("bombs_refused {refused} of {BOMBS}");
    println!("bombs_refused_by_fetcher {} bombs", figure(&fetcher, "refused")?);
    println!("bombs_memory_fetcher {:.0} MB", figure(&fetcher, "peak_mb")?);
    println!("bombs_memory_extractor {:.0} MB", figure(&extractor, "peak_mb")?);
    Ok(())
}

/// One of each: by encoding, kind and size. Every fourth is a feed, which the fetcher reads itself.
pub fn all() -> Vec<Bomb> {
    const HEADERS: [[&str; 3]; 2] = [
        [
            "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            "Content-Type: text/html\r\nContent-Encoding: br\r\n",
            "Content-Type: text/html\r\nContent-Encoding: zstd\r\n",
        ],
        [
            "Content-Type: application/rss+xml\r\nContent-Encoding: gzip\r\n",
            "Content-Type: application/rss+xml\r\nContent-Encoding: br\r\n",
            "Content-Type: application/rss+xml\r\nContent-Encoding: zstd\r\n",
        ],
    ];
    const HEADS: [&str; 2] = [
        "<!doctype html><html><head><title>The Harbour Post</title></head><body><p>",
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>The Harbour Post</title><item><title>",
    ];
    let mut bombs = Vec::new();
    for size in SIZES {
        for (encoding, filling) in [0, 1, 2].into_iter().flat_map(|e| FILLINGS.map(|filling| (e, filling))) {
            let kind = usize::from(bombs.len() % 4 == 3);
            let headers = HEADERS[kind][encoding];
            let content = HEADS[kind].as_bytes().chain(Filling { of: filling, at: 0 }).take(size);
            bombs.push(Bomb {
                headers,
                body: compressed(encoding, content).expect("memory takes all").into(),
            });
        }
    }
    bombs
}

fn compressed(encoding: usize, mut content: impl io::Read) -> io::Result<Vec<u8>> {
    match encoding {
        0 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            io::copy(&mut content, &mut encoder)?;
            encoder.finish()
        }
        1 => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 1, 20);
            io::copy(&mut content, &mut encoder)?;
            encoder.flush()?;
            Ok(encoder.into_inner())
        }
        _ => zstd::encode_all(content, 1),
    }
}

/// The same bytes for ever.
struct Filling {
    of: &'static [u8],
    at: usize,
}

impl io::Read for Filling {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for slot in &mut *into {
            *slot = self.of[self.at];
            self.at = (self.at + 1) % self.of.len();
        }
        Ok(into.len())
    }
}

/// The fetcher's part. What it does not refuse it passes on.
pub fn fetch(arguments: &[&str]) -> Result<()> {
    let [port, folder] = arguments else { anyhow::bail!("usage: part bombs PORT FOLDER") };
    let log = run::open(Path::new(folder))?;
    run::submit(&log, (0..BOMBS).map(|n| format!("http://{}:{port}/bomb/{n}", host(n))))?;
    run::until(&log, vec![fetcher::worker(config(Duration::ZERO))?], |running| {
        let is_done =
            running.roles().iter().all(|(_, progress)| progress.records() > 0 && progress.pending() == 0);
        Ok(is_done && run::ended(&log)? >= BOMBS as i64)
    })?;
    let requests = log.end(Topic::Requests.name())?;
    ensure!(requests == BOMBS as i64, "{} addresses came of bombs", requests - BOMBS as i64);
    println!("refused {}", log.end(fetcher::ROLE.dead_letters)?);
    println!("peak_mb {}", resident_mb("VmHWM")?);
    Ok(())
}

/// The extractor's part.
pub fn extract(arguments: &[&str]) -> Result<()> {
    let log = run::open(Path::new(arguments.first().context("usage: part extract FOLDER")?))?;
    let pages = log.end(Topic::Pages.name())?;
    let workers = extractor::workers(&service::Config::load(None)?)?;
    run::until(&log, workers, |_| Ok(log.position(&extractor::ROLE)? == pages))?;
    let articles = log.end(Topic::Articles.name())?;
    ensure!(articles == 0, "{articles} articles came of bombs");
    println!("refused {}", log.end(extractor::ROLE.dead_letters)?);
    println!("peak_mb {}", resident_mb("VmHWM")?);
    Ok(())
}
