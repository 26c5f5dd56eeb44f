//! Recorded pages with their truth: JSON lines, packed with xz.

use std::{error::Error, io::BufReader};

use serde::{Deserialize, Deserializer};

/// A recorded page.
#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    pub id: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A corpus in a file of its own.
    fn corpus(name: &str, lines: &str) -> Result<Corpus, String> {
        let path = std::env::temp_dir().join(format!("{}-{name}.jsonl.xz", std::process::id()));
        let mut packed = Vec::new();
        lzma_rs::xz_compress(&mut lines.as_bytes(), &mut packed).unwrap();
        std::fs::write(&path, packed).unwrap();
        let corpus = read(path.to_str().unwrap()).map_err(|e| e.to_string());
        std::fs::remove_file(path).unwrap();
        corpus
    }

    #[test]
    fn what_is_null_or_absent_is_not_known() {
        let read = corpus(
            "harbour",
            r#"{"url":"https://a.example/","html":"<p>","truth":{"title":null,"authors":["Ann Able"]}}

               {"id":"b","url":"","html":"","truth":{"text":null,"with":["x"]}}"#,
        )
        .unwrap();
        assert!(read.name.ends_with("-harbour"), "{}", read.name);
        let pages: Vec<_> =
            read.pages.iter().map(|p| (p.id.as_str(), p.truth.authors.len(), p.truth.with.len())).collect();
        assert_eq!(pages, [("", 1, 0), ("b", 0, 1)]);
        assert!(read.pages.iter().all(|p| p.truth.text.is_empty() && p.truth.title.is_none()));
    }

    #[test]
    fn a_broken_page_is_named() {
        let page = r#"{"url":"","html":"","truth":{}}"#;
        let error = corpus("broken", &format!("{page}\n{{\"url\":1}}\n")).err().unwrap();
        assert!(error.contains("page 2 is broken"), "{error}");
        assert!(read("no such file").is_err());
    }
}
