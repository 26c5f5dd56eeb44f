//! Bounded inflating of bodies. Pages travel as the server sent them, and are inflated by whoever has to read them.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

/// Largest zstd window, as a power of two: what RFC 8878 asks decoders to support, and no more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What a gzip decoder is given at a time, in bytes: it inflates all of it, up to 32 KB, before it hands on the first, so
/// a start is had for less in small bites.
const BITE: usize = 32 << 10;
const SMALL_BITE: usize = 512;

/// A body that cannot be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InflateError {
    /// More than allowed comes out.
    #[error("the body inflates to more bytes than are allowed")]
    TooLarge,
    /// The encoding is none that was asked for, or the bytes are not in it.
    #[error("the body is torn, or in an encoding that was not asked for")]
    Broken,
}

/// The whole body, if at most `cap` bytes come out.
pub fn inflate(encoding: &str, body: &[u8], cap: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    let mut reader = reader(encoding, body, BITE).ok_or(InflateError::Broken)?.take(cap as u64 + 1);
    let mut read = |wanted: u64, out: &mut Vec<u8>| {
        reader.by_ref().take(wanted).read_to_end(out).map_err(|_| InflateError::Broken)
    };
    let is_large = read(LARGE, &mut out)? as u64 == LARGE;
    if is_large {
        // What grows by doubling leaves as much behind as it comes to; of what is reserved, only what is filled is taken.
        out.reserve_exact(cap.saturating_add(1).saturating_sub(out.len()));
        read(u64::MAX, &mut out)?;
    }
    if out.len() > cap {
        return Err(InflateError::TooLarge);
    }
    if is_large {
        out.shrink_to_fit();
    }
    Ok(out)
}

/// A body that inflates to so many bytes is given room for all that it may have.
const LARGE: u64 = 1 << 20;

/// The first bytes of a body, at most `wanted`, as far as they can be read.
pub fn inflate_start(encoding: &str, body: &[u8], wanted: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(wanted.min(BITE));
    if let Some(reader) = reader(encoding, body, SMALL_BITE) {
        // What was read before an error stays in `out`.
        let _ = reader.take(wanted as u64).read_to_end(&mut out);
    }
    out
}

/// Whether a body in this encoding can be inflated by those who get the page.
pub fn is_known_encoding(encoding: &str) -> bool {
    Coding::parse(encoding).is_some()
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

impl Coding {
    fn parse(encoding: &str) -> Option<Self> {
        const NAMES: [(&str, Coding); 6] = [
            ("", Coding::Identity),
            ("identity", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
        ];
        let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(encoding.trim()));
        known.map(|(_, coding)| *coding)
    }
}

fn reader<'a>(encoding: &str, body: &'a [u8], bite: usize) -> Option<Box<dyn Read + 'a>> {
    Some(match Coding::parse(encoding)? {
        Coding::Identity => Box::new(body),
        Coding::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(bite, body))),
        Coding::Brotli => Box::new(brotli::Decompressor::new(body, 4096)),
        Coding::Zstd => {
            zstd_reader(body).map_or_else(|_| Box::new(io::empty()) as Box<dyn Read>, |r| Box::new(r))
        }
    })
}

fn zstd_reader(body: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn compressed(encoding: &str, text: &[u8]) -> Vec<u8> {
        match encoding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            "br" => {
                let mut out = Vec::new();
                brotli::CompressorWriter::new(&mut out, 4096, 5, 20).write_all(text).unwrap();
                out
            }
            "zstd" => zstd::encode_all(text, 1).unwrap(),
            _ => text.to_vec(),
        }
    }

    #[test]
    fn every_encoding_asked_for_is_read_back_within_its_cap() {
        let text = b"<html>ferry</html>".repeat(1000);
        for encoding in ["", "identity", "gzip", "br", "zstd"] {
            let body = compressed(encoding, &text);
            assert_eq!(inflate(encoding, &body, text.len()).unwrap(), text, "{encoding}");
            assert_eq!(inflate(encoding, &body, text.len() - 1), Err(InflateError::TooLarge), "{encoding}");
            assert_eq!(inflate_start(encoding, &body, 6), b"<html>", "{encoding}");
        }
    }

    #[test]
    fn what_is_torn_or_unknown_is_an_error() {
        let body = compressed("gzip", &b"ferry ".repeat(1000));
        let torn = &body[..body.len() / 2];
        assert_eq!(inflate("gzip", torn, 1 << 20), Err(InflateError::Broken));
        assert_eq!(inflate("lzma", b"x", 10), Err(InflateError::Broken));
        assert!(is_known_encoding("GZIP") && !is_known_encoding("gzip, br"));
    }

    #[test]
    fn a_bomb_costs_its_cap() {
        let bomb = compressed("zstd", &vec![0; 64 << 20]);
        assert!(bomb.len() < 64 << 10);
        assert_eq!(inflate("zstd", &bomb, 1 << 20), Err(InflateError::TooLarge));
    }
}
