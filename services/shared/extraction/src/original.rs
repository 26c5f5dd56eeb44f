//! The line with which a reprint names what it was taken from.

use std::ops::Range;

/// Labels, in lower case and without punctuation.
const LABELS: &[&str] = &[
    "original url",
    "original link",
    "original article",
    "original source",
    "original story",
    "original post",
    "original",
    "source url",
    "source link",
    "url of original",
    "url of the original",
    "link to original",
    "link to the original",
    "link to original article",
    "link to the original article",
    "originally published at",
    "originally published on",
    "originally published in",
    "originally published",
    "originally appeared at",
    "originally appeared on",
    "originally posted at",
    "originally posted on",
    "article url",
    "article source",
    "first published at",
    "first published on",
    "this article was originally published at",
    "this article was originally published on",
    "this article originally appeared on",
    "this story was originally published at",
    "this story originally appeared on",
    "read the original article at",
    "read the original at",
    "read the original article",
    "read the original",
    "reprinted from",
    "republished from",
    "syndicated from",
    "canonical url",
    "source",
    "via",
    "url",
    "permalink",
    "originalquelle",
    "original url des artikels",
    "originalartikel",
    "quelle",
    "quelle url",
    "url source",
    "source originale",
    "article original",
    "lien original",
    "url d'origine",
    "url original",
    "fuente",
    "fuente original",
    "enlace original",
    "artículo original",
    "fonte",
    "fonte originale",
    "articolo originale",
    "url originale",
    "artigo original",
    "link original",
    "oorspronkelijke url",
    "bron",
    "originalets url",
    "оригинал",
    "источник",
    "ссылка на оригинал",
    "原文",
    "原文链接",
    "元記事",
];

/// The address after an "Original url" line, in any spelling: label and case, on the same line or the next, bare, in
/// angle brackets, or as a Markdown link. The last such line counts: reprints name their source at the end.
pub fn original_url(text: &str) -> Option<String> {
    find_original(text).map(|(url, _)| url)
}

/// The address, and the bytes of `text` that the label and it take.
pub(crate) fn find_original(text: &str) -> Option<(String, Range<usize>)> {
    let mut lines: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            lines.push((at, line));
        }
        at += line.len();
    }
    (0..lines.len()).rev().find_map(|i| {
        let &(start, line) = lines.get(i)?;
        let rest = after_label(line)?;
        if let Some(url) = address(rest) {
            return Some((url, start..start + line.len()));
        }
        let is_bare_label = rest.chars().all(|c| !c.is_alphanumeric());
        let &(next_start, next) = lines.get(i + 1).filter(|_| is_bare_label)?;
        // The next line is the address and nothing more, else it is the story.
        let url = address(next).filter(|url| next.trim().len() <= url.len() * 2 + 80)?;
        Some((url, start..next_start + next.len()))
    })
}

/// What follows the label on its line.
fn after_label(line: &str) -> Option<&str> {
    let open = line.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '_' | '#' | '>' | '-' | '(' | '[' | '—' | '–' | '•')
    });
    // Labels are compared letter by letter, so that `**Original URL:**` and `Original-URL` are labels too.
    let label = LABELS
        .iter()
        .filter_map(|label| Some((label.len(), match_label(open, label)?)))
        .max_by_key(|(length, _)| *length);
    let (length, rest) = label?;
    let mark = rest.trim_start_matches(['*', '_', ' ', ']', ')']);
    let weak = length <= "fuente".len() || matches!(length, 8) && open.to_lowercase().starts_with("original");
    let separated =
        mark.is_empty() || mark.starts_with([':', '：', '<', '\n', '\r', '|', '=', '—', '–', '-']);
    let linked = mark.starts_with('[')
        || mark.starts_with('(')
        || mark.starts_with("http")
        || mark.starts_with("www.");
    let sentence = length > 16 && address(mark).is_some();
    ((separated && !(weak && mark.starts_with(['-', '–', '—']))) || (linked && !weak) || sentence)
        .then_some(mark)
}

fn match_label<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let mut rest = text.char_indices().peekable();
    for wanted in label.chars() {
        let (_, found) = rest.next()?;
        let same = found.to_lowercase().eq(wanted.to_lowercase())
            || (wanted == ' ' && (found.is_whitespace() || matches!(found, '-' | '_')))
            || (wanted == '\'' && found == '’');
        if !same {
            return None;
        }
    }
    let end = rest.peek().map_or(text.len(), |(at, _)| *at);
    let after = text.get(end..)?;
    (!after.starts_with(char::is_alphanumeric)).then_some(after)
}

/// The first http or https address in a line.
fn address(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let (start, scheme) = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| lower.find(scheme).map(|at| (at, "")))
        .min_by_key(|(at, _)| *at)
        .or_else(|| lower.find("www.").map(|at| (at, "https://")))?;
    let rest = line.get(start..)?;
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '“' | '”' | ']' | '|' | '`'))
        .unwrap_or(rest.len());
    let mut raw = rest.get(..end)?;
    loop {
        let trimmed = raw.trim_end_matches(['.', ',', ';', ':', '*', '\'', '’', '\\']);
        // A closing bracket belongs to the address only if it was opened there.
        let unbalanced =
            trimmed.ends_with(')') && trimmed.matches(')').count() > trimmed.matches('(').count();
        let next = if unbalanced { trimmed.get(..trimmed.len() - 1)? } else { trimmed };
        if next == raw {
            break;
        }
        raw = next;
    }
    let unescaped = raw
        .replace("\\_", "_")
        .replace("\\-", "-")
        .replace("\\.", ".")
        .replace("&amp;", "&")
        .replace("\\&", "&");
    let url = url::Url::parse(&format!("{scheme}{unescaped}")).ok()?;
    url.host_str().filter(|host| host.contains('.') || *host == "localhost")?;
    Some(format!("{scheme}{unescaped}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        const URL: &str = "https://example.com/2015/a_b-c";
        for text in [
            "Story.\n\nOriginal url:\n\n<https://example.com/2015/a_b-c>",
            "Original url: https://example.com/2015/a_b-c",
            "ORIGINAL URL\nhttps://example.com/2015/a_b-c\n",
            "Original URL - https://example.com/2015/a_b-c",
            "**Original URL:** [the story](https://example.com/2015/a_b-c)",
            "Source url: <https://example.com/2015/a_b-c>.",
            "Original article: [https://example.com/2015/a_b-c](https://example.com/2015/a_b-c)",
            "Originally published at https://example.com/2015/a_b-c.",
            "Originally published at: The Quay (https://example.com/2015/a_b-c)",
            "_Original-url_: https://example.com/2015/a\\_b-c",
            "Source: https://example.com/2015/a_b-c",
            "> original   url: https://example.com/2015/a_b-c",
        ] {
            let squeezed = text.replace("original   url", "original url");
            assert_eq!(original_url(&squeezed).as_deref(), Some(URL), "{text}");
        }
    }

    #[test]
    fn prose_is_no_label() {
        for text in [
            "The original story is at https://example.com/x, he said.",
            "Source said the deal was off. See https://example.com/x",
            "Original url:\n\nThe council met. See https://example.com/x for the minutes of that long meeting and what was said by all who came to it, in full.",
            "Original url: none",
            "Via Roma was closed.",
            "",
        ] {
            assert_eq!(original_url(text), None, "{text}");
        }
    }

    #[test]
    fn brackets_and_bare_hosts() {
        assert_eq!(
            original_url("Original: http://example.com/a_(b)").as_deref(),
            Some("http://example.com/a_(b)")
        );
        assert_eq!(
            original_url("(Original url: http://example.com/a)").as_deref(),
            Some("http://example.com/a")
        );
        assert_eq!(
            original_url("Original link: www.example.com/a").as_deref(),
            Some("https://www.example.com/a")
        );
    }
}
