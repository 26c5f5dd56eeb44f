//! Bounded inflating of bodies. Pages travel on as they were sent: only what has to be read here is inflated.

use std::io::{self, Read};

/// Largest zstd window, as a power of two: what RFC 8878 asks decoders to support, and no more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A body that cannot be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// More than allowed comes out.
    TooLarge,
    /// The encoding is none that was asked for, or the bytes are not in it.
    Broken,
}

/// The whole body, if at most `cap` bytes come out.
pub(crate) fn inflate(encoding: &str, body: &[u8], cap: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    let mut reader = reader(encoding, body).ok_or(InflateError::Broken)?.take(cap as u64 + 1);
    reader.read_to_end(&mut out).map_err(|_| InflateError::Broken)?;
    if out.len() > cap { Err(InflateError::TooLarge) } else { Ok(out) }
}

/// The first bytes of a body, at most `wanted`, as far as they can be read.
pub(crate) fn inflate_start(encoding: &str, body: &[u8], wanted: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(reader) = reader(encoding, body) {
        // What was read before an error stays in `out`.
        let _ = reader.take(wanted as u64).read_to_end(&mut out);
    }
    out
}

/// Whether a body in this encoding can be inflated by those who get the page.
pub(crate) fn is_known(encoding: &str) -> bool {
    reader(encoding, &[]).is_some()
}

fn reader<'a>(encoding: &str, body: &'a [u8]) -> Option<Box<dyn Read + 'a>> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Some(Box::new(body)),
        "gzip" | "x-gzip" => Some(Box::new(flate2::read::MultiGzDecoder::new(body))),
        "br" => Some(Box::new(brotli::Decompressor::new(body, 4096))),
        "zstd" => {
            Some(zstd_reader(body).map_or_else(|_| Box::new(io::empty()) as Box<dyn Read>, |r| Box::new(r)))
        }
        _ => None,
    }
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
        assert!(is_known("GZIP") && !is_known("gzip, br"));
    }

    #[test]
    fn a_bomb_costs_its_cap() {
        let bomb = compressed("zstd", &vec![0; 64 << 20]);
        assert!(bomb.len() < 64 << 10);
        assert_eq!(inflate("zstd", &bomb, 1 << 20), Err(InflateError::TooLarge));
    }
}
