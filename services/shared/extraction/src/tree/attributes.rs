//! The attributes that are kept: those that anyone here asks for.

use std::sync::LazyLock;

use html5ever::LocalName;

macro_rules! kept {
    ($($name:literal)*) => {
        /// The name, interned, of an attribute that is kept.
        pub(super) fn kept(name: &str) -> Option<&'static LocalName> {
            match name {
                $($name => {
                    static NAME: LazyLock<LocalName> = LazyLock::new(|| LocalName::from($name));
                    Some(&NAME)
                })*
                _ => None,
            }
        }
    };
}

kept! {
    "class" "id" "href" "style" "rel" "role" "type" "name" "content" "property" "itemprop" "datetime" "value" "src"
    "lang" "xml:lang" "hidden" "aria-hidden" "http-equiv" "title" "aria-label" "itemtype" "itemscope" "pubdate"
    "data-component" "data-testid" "data-test-id" "data-qa" "data-module" "data-type"
    "data-gtm-vis-section" "data-track-section"
    "data-date" "data-time" "data-datetime" "data-timestamp" "data-published" "data-author"
}
