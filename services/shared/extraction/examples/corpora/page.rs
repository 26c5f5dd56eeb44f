//! Recorded pages with their truth: JSON lines, packed with xz.

use std::{error::Error, io::BufReader};

use serde::{Deserialize, Deserializer};

/// A recorded page.
#[derive(Deserialize)]
pub struct Page {
    pub url: String,
    pub html: String,
    pub truth: Truth,
}

/// What is known of a page; what is empty is not known.
#[derive(Deserialize, Default)]
pub struct Truth {
    /// The body.
    #[serde(default, deserialize_with = "or_default")]
    pub text: String,
    /// Snippets that must be in the body, and that must not.
    #[serde(default, deserialize_with = "or_default")]
    pub with: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub without: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub authors: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub date: Option<String>,
}

/// `null` as nothing.
fn or_default<'d, T: Deserialize<'d> + Default, D: Deserializer<'d>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A file of pages.
pub struct Corpus {
    pub name: String,
    /// Of the file as it is.
    pub digest: String,
    pub pages: Vec<Page>,
}

/// Reads a corpus.
pub fn read(path: &str) -> Result<Corpus, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let mut lines = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(bytes.as_slice()), &mut lines)
        .map_err(|e| format!("{path}: not an xz file: {e:?}"))?;
    let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let page = |(i, line): (usize, &[u8])| {
        let broken = |e| format!("{path}: page {} is broken: {e}; fetch the corpus again", i + 1);
        serde_json::from_slice(line).map_err(broken)
    };
    let pages = lines.enumerate().map(page).collect::<Result<_, _>>()?;
    let name = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or(path);
    Ok(Corpus { name: name.to_owned(), digest: blake3::hash(&bytes).to_hex().to_string(), pages })
}
