//! JSON lines `{"id","url","html"}` in, `{"id","title","text","authors","published_at","language",…}` out.

use std::io::{BufRead, Write};

use extraction::{Extraction, Page, extract_html};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Line {
    id: String,
    url: Option<String>,
    html: String,
}

#[derive(Serialize)]
struct Answer {
    id: String,
    #[serde(flatten)]
    extraction: Extraction,
}

/// The pages are text already, whatever their markup declares.
const UTF_8: &str = "text/html; charset=utf-8";

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let Line { id, url, html } = serde_json::from_str(&line?)?;
        let page = Page {
            bytes: html.as_bytes(),
            url: url.as_deref(),
            content_type: Some(UTF_8),
            ..Page::default()
        };
        serde_json::to_writer(&mut out, &Answer { id, extraction: extract_html(&page) })?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
