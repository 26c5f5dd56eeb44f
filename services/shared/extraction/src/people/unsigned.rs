//! Who wrote a page that nobody signs, by what else the page holds of them: the author who answers below a WordPress
//! story, and a description that opens with the byline that is not shown.

use super::authors::{has_byline_prefix, names_a_person};
use crate::{
    declared::Declared,
    text::squeeze,
    tree::{Outline, attr},
};

/// Nodes of a comment in which its author's name stands.
const REACH: usize = 60;

/// The name that the story's author comments under: WordPress marks such comments, and the names in them.
pub(super) fn commenting(outline: &Outline) -> Option<String> {
    let holds = |at: usize, class: &str| {
        let classes = outline.element(at).and_then(|element| attr(element, "class"));
        classes.is_some_and(|classes| classes.split_ascii_whitespace().any(|c| c == class))
    };
    let comment = (0..outline.len()).find(|at| holds(*at, "bypostauthor") && holds(*at, "comment"))?;
    let end = outline.node(comment).end.min(comment + REACH);
    let name = (comment..end).find(|at| holds(*at, "fn"))?;
    Some(outline.text(name, 80)).filter(|name| !name.is_empty())
}

/// `Posted by Ann Able - The ferry sails again`: the byline before the bar.
pub(super) fn described(declared: &Declared) -> Option<String> {
    let description = declared.meta(&["og:description", "description"])?;
    let (byline, _) =
        [" - ", " – ", " — ", " | "].iter().filter_map(|bar| description.split_once(bar)).min()?;
    (has_byline_prefix(byline) && names_a_person(byline)).then(|| squeeze(byline))
}

#[cfg(test)]
mod tests {
    use crate::{Page, extract_html};

    #[test]
    fn what_is_not_signed_may_name_its_author_elsewhere() {
        let comment = |classes: &str, name: &str| {
            format!("<ol><li class='{classes}'><div><cite class={name}>annable</cite> says</div></li></ol>")
        };
        let described =
            |text: &str| format!("<meta property=og:description content='{text} - The ferry sails again'>");
        for (why, head, below, authors) in [
            ("the author's comment", "", comment("comment byuser bypostauthor", "fn"), &["annable"][..]),
            ("another's comment", "", comment("comment byuser", "fn"), &[]),
            ("a comment without a name", "", comment("comment bypostauthor", "avatar"), &[]),
            ("a rule that is no comment", "", comment("bypostauthor", "fn"), &[]),
            (
                "a description",
                &described("Posted by Ann Able and Bo Baker"),
                String::new(),
                &["Ann Able", "Bo Baker"],
            ),
            ("a description without a byline", &described("Ann Able"), String::new(), &[]),
            (
                "a byline before it",
                "<meta name=author content='Cy Cole'>",
                comment("comment bypostauthor", "fn"),
                &["Cy Cole"],
            ),
        ] {
            let story = "<p>The ferry across the bay sails again from Monday, the council said on Friday, after \
                eleven weeks in which its passengers took the bus.</p>";
            let page = format!(
                "<head><title>Ferry returns</title>{head}</head><body><article><h1>Ferry returns</h1>\
                {story}{story}</article>{below}</body>"
            );
            let found = extract_html(&Page { bytes: page.as_bytes(), ..Page::default() });
            assert_eq!(found.authors, authors, "{why}");
        }
    }
}
