//! Pages in other languages and scripts: paragraphs, dates and names as written there, the language, and the marks of
//! direction that a text needs.

use extraction::{Page, extract_html};

/// Snapshots what is read of a page and is not the same for all of them.
macro_rules! reads {
    ($($language:ident)*) => {$(
        #[test]
        fn $language() {
            let name = stringify!($language);
            let bytes = include_bytes!(concat!("languages/", stringify!($language), ".html"));
            let url = format!("https://www.harbour.example/{name}/pier.html");
            let found = extract_html(&Page { bytes, url: Some(&url), ..Page::default() });
            assert_eq!((found.language.as_deref(), found.verdict), (Some(name), article::Verdict::Article));
            insta::assert_snapshot!(name, [
                format!("title: {}", found.title.unwrap_or_default()),
                format!("authors: {}", found.authors.join(", ")),
                format!("published: {}", found.published.map(|m| m.to_string()).unwrap_or_default()),
                format!("site: {}", found.site_name.unwrap_or_default()),
                String::new(),
                found.text,
            ].join("\n"));
        }
    )*};
}

reads! { ar de es he hi ja pt ru th zh }
