//! What an element says about itself: tag, role, and the words of its class, id and component names.

use std::{borrow::Cow, sync::LazyLock};

use rustc_hash::FxHashMap;

use crate::tree::{Element, Outline};

/// A set of the bits below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks(u32);

macro_rules! marks {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Marks { $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)* }
    };
}

marks! {
    /// Navigation, breadcrumbs, menus, pagination.
    NAV = 0;
    /// Readers' comments.
    COMMENTS = 1;
    /// Other articles.
    RELATED = 2;
    /// Share and follow buttons.
    SHARE = 3;
    /// Newsletter forms, subscription offers, appeals for money.
    APPEAL = 4;
    /// Advertisements.
    AD = 5;
    /// Cookie and consent notices.
    CONSENT = 6;
    /// Captions and credits of pictures.
    CAPTION = 7;
    /// Bylines, dates, author cards.
    BYLINE = 8;
    /// Tag lists, section labels.
    TAGS = 9;
    /// Page footers.
    FOOTER = 10;
    /// Side columns, widgets, pull quotes, pop-ups.
    ASIDE = 11;
    /// Not shown.
    HIDDEN = 12;
    /// A standfirst.
    SUMMARY = 13;
    /// The body of an article.
    BODY = 14;
    /// A paywall.
    PAYWALL = 15;
    /// A live blog or its entries.
    LIVE = 16;
    /// A gallery of pictures.
    GALLERY = 17;
    /// An element that names a subject or a person: `rel=author`, `class=author`.
    AUTHOR = 18;
    /// A date.
    DATE = 19;
    /// A headline.
    HEADLINE = 20;
    /// A box with a quotation of the text.
    PULL_QUOTE = 21;
    /// Something announced: a card, a tile.
    TEASER = 22;
    /// By its class not shown until a script shows it.
    TUCKED = 23;
    /// A thing that is sold.
    SHOP = 24;
}

impl Marks {
    /// Marks of what is never part of an article's text.
    pub const CLUTTER: Self = Self(
        Self::NAV.0
            | Self::COMMENTS.0
            | Self::RELATED.0
            | Self::SHARE.0
            | Self::APPEAL.0
            | Self::AD.0
            | Self::CONSENT.0
            | Self::CAPTION.0
            | Self::BYLINE.0
            | Self::TAGS.0
            | Self::FOOTER.0
            | Self::ASIDE.0
            | Self::HIDDEN.0
            | Self::PULL_QUOTE.0,
    );

    /// Every mark.
    pub const ALL: Self = Self(u32::MAX);

    /// Marks that are right even on a page of which nothing else remains.
    pub const SURE: Self = Self(
        Self::COMMENTS.0 | Self::CONSENT.0 | Self::FOOTER.0 | Self::NAV.0 | Self::CAPTION.0 | Self::RELATED.0,
    );

    /// Marks whose words also name the parts that some systems build articles from.
    pub const DOUBTFUL: &[Self] = &[Self::ASIDE, Self::HIDDEN, Self::NAV];

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The marks of every node; those of a text are none.
pub(crate) fn marks(outline: &Outline) -> Vec<Marks> {
    // Most classes recur on a page.
    let mut known = FxHashMap::default();
    (0..outline.len())
        .map(|at| outline.element(at).map(|element| marks_of(element, &mut known)).unwrap_or_default())
        .collect()
}

/// Reads an element's marks; `known` are those of values seen before.
fn marks_of<'a>(element: &'a Element, known: &mut FxHashMap<&'a str, Marks>) -> Marks {
    let mut marks = of_tag(element.name());
    for (name, value) in element.attrs() {
        match name {
            "id" => marks.add(of_tokens(value)),
            "class"
            | "data-component"
            | "data-testid"
            | "data-test-id"
            | "data-qa"
            | "data-module"
            | "data-type"
            | "data-gtm-vis-section"
            | "data-track-section" => {
                marks.add(*known.entry(value).or_insert_with(|| of_tokens(value)));
            }
            "itemprop" => match value {
                "articleBody" | "reviewBody" => marks.add(Marks::BODY),
                "author" | "creator" => marks.add(Marks::AUTHOR),
                "headline" => marks.add(Marks::HEADLINE),
                "datePublished" | "dateModified" => marks.add(Marks::DATE),
                "caption" => marks.add(Marks::CAPTION),
                "comment" => marks.add(Marks::COMMENTS),
                _ => {}
            },
            "rel" if value.split_ascii_whitespace().any(|r| r == "author") => marks.add(Marks::AUTHOR),
            "role" => match value {
                "navigation" | "menu" | "menubar" | "search" | "toolbar" => marks.add(Marks::NAV),
                "complementary" => marks.add(Marks::ASIDE),
                "contentinfo" => marks.add(Marks::FOOTER),
                "dialog" | "alertdialog" => marks.add(Marks::CONSENT),
                "tooltip" => marks.add(Marks::ASIDE),
                _ => {}
            },
            "hidden" => marks.add(Marks::HIDDEN),
            "aria-hidden" if value == "true" => marks.add(Marks::HIDDEN),
            "style" if hides(value) => marks.add(Marks::HIDDEN),
            _ => {}
        }
    }
    marks
}

fn hides(style: &str) -> bool {
    let squeezed: String =
        style.chars().filter(|c| !c.is_whitespace()).take(400).collect::<String>().to_lowercase();
    squeezed.contains("display:none") || squeezed.contains("visibility:hidden")
}

fn of_tag(name: &str) -> Marks {
    match name {
        "nav" | "menu" => Marks::NAV,
        "footer" => Marks::FOOTER,
        "aside" | "dialog" => Marks::ASIDE,
        "figcaption" | "caption" => Marks::CAPTION,
        "time" => Marks::DATE,
        _ => Marks::default(),
    }
}

/// Class names or ids.
fn of_tokens(value: &str) -> Marks {
    let mut marks = Marks::default();
    for token in value.split_ascii_whitespace().take(24) {
        of_token(token, &mut marks);
        if HIDING.contains(&token) {
            marks.add(Marks::TUCKED);
        }
    }
    // Shown on wider windows.
    if marks.has(Marks::TUCKED) && [":", "-block", "-flex"].iter().any(|shows| value.contains(shows)) {
        marks = marks.without(Marks::TUCKED);
    }
    marks
}

/// Classes of frameworks that hide.
const HIDING: &[&str] = &["hidden", "is-hidden", "hide", "d-none", "u-hidden", "display-none", "invisible"];

/// One class name or id, as `article-body__share`, `relatedArticles` or `ad_slot-3`.
fn of_token(token: &str, marks: &mut Marks) {
    if token.len() > 80 {
        return;
    }
    // Utility classes (`sm:hidden`, `[&>p]:mb-4`) describe looks.
    if token.bytes().any(|b| matches!(b, b':' | b'[' | b'&')) {
        return;
    }
    let lower = if token.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(token.to_ascii_lowercase())
    } else {
        Cow::Borrowed(token)
    };
    let (mut previous, mut start) = ("", 0);
    let (mut was_lower, mut was_digit, mut is_hex) = (false, false, false);
    for (at, b) in token.bytes().chain([b'-']).enumerate() {
        let is_letter = b.is_ascii_alphabetic();
        if !is_letter || (b.is_ascii_uppercase() && was_lower) {
            let word = lower.get(start..at).unwrap_or_default();
            if !word.is_empty() && !is_hex {
                of_word(word, marks);
                if !previous.is_empty() {
                    of_pair(previous, word, marks);
                }
                previous = word;
            }
            start = if is_letter { at } else { at + 1 };
        }
        if is_letter && start == at {
            // Letters after a digit (`a5ad`) are part of a hash.
            is_hex = was_digit;
        }
        was_lower = b.is_ascii_lowercase();
        was_digit = b.is_ascii_digit();
    }
}

/// What single words say.
const WORDS: &[(Marks, &str)] = &[
    (
        Marks::NAV,
        "nav navi navigation navbar menu submenu breadcrumb breadcrumbs pagination pager toc masthead \
         topbar offcanvas skiplink sitemap toolbar prevnext",
    ),
    (
        Marks::COMMENTS,
        "comment comments disqus respond commentlist kommentar kommentare comentarios commentaires \
         commenti talkback livefyre viafoura coral spotim openweb commentbox leserbriefe",
    ),
    (
        Marks::RELATED,
        "related recommended recommendation recommendations recommend recirc recirculation outbrain \
         taboola trending suggestions similar upnext readmore seealso mostread crosslinks linklist \
         alsoread relacionadas relacionados correlati verwandte popular relatedlinks nextarticle \
         morefrom latest moreon ticker relateds relatedposts jp yarpp crp zergnet revcontent newsmore",
    ),
    (
        Marks::SHARE,
        "share sharing shares social socials addthis addtoany sharethis sharedaddy sharebar sharebuttons \
         socialmedia shariff follow heateor",
    ),
    (
        Marks::APPEAL,
        "newsletter newsletters signup subscribe subscription mailchimp mc4wp optin cta donate donation \
         donations contribute fundraising membership appeal fundraiser crowdfunding spendenaufruf \
         subscriptions hubspot leadgen callout registration regwall login signin",
    ),
    (
        Marks::AD,
        "ad ads adv advert adverts advertisement advertising adbox adslot adsbygoogle dfp gpt sponsor \
         sponsored anzeige werbung publicidad publicite pubblicita promo promos promotion promoted \
         banner banners adunit reklama reklame annonce leaderboard mpu",
    ),
    (
        Marks::TEASER,
        "teaser teasers snippet snippets card cards tile tiles carousel slider swiper slick flickity splide \
         listing grid",
    ),
    (Marks::SHOP, "product products price shop buy deal deals shopping affiliate amazon merchant"),
    (Marks::CONSENT, "cookie cookies consent gdpr cmp onetrust didomi cookiebanner usercentrics"),
    (
        Marks::CAPTION,
        "caption captions figcaption credit credits bildunterschrift bildquelle imagecredit photocredit \
         legende didascalia cutline imagecaption",
    ),
    (
        Marks::BYLINE,
        "byline bylines dateline timestamp bio authorbio contributor contributors pubdate authorbox \
         readtime byliner authorinfo",
    ),
    (Marks::AUTHOR, "author authors autor autoren auteur autore autores redakteur"),
    (Marks::DATE, "date datum fecha published pubtime datetime"),
    (
        Marks::TAGS,
        "tags taglist topics keywords hashtags schlagworte etiquetas tagcloud kicker eyebrow overline \
         dachzeile",
    ),
    (Marks::FOOTER, "footer colophon fineprint disclaimer legal footnote copyright"),
    (
        Marks::ASIDE,
        "sidebar rail widget widgets tooltip modal popup popover overlay lightbox toast snackbar poll \
         quiz survey sidenav offscreen marginalia",
    ),
    (Marks::PULL_QUOTE, "pullquote blockzitat"),
    (
        Marks::SUMMARY,
        "standfirst dek subtitle subheadline subheading lead lede excerpt chapo bajada entradilla sapo \
         sommario ingress vorspann subtitulo copete sommaire strapline abstract intro deck summary lid",
    ),
    (
        Marks::BODY,
        "articlebody articletext storybody entrycontent postcontent articlecontent bodytext artikeltext \
         storytext maintext postbody",
    ),
    (Marks::PAYWALL, "paywall piano paywalled subscriber subscribers premium locked"),
    (Marks::LIVE, "liveblog livefeed liveticker"),
    (Marks::GALLERY, "gallery slideshow bildergalerie diaporama fotogalerie fotostrecke"),
    (Marks::HEADLINE, "headline titre titulo titolo"),
    // Messages of the player video.js, which its script replaces.
    (Marks::HIDDEN, "vjs"),
];

fn of_word(word: &str, marks: &mut Marks) {
    static MARKS: LazyLock<FxHashMap<&str, Marks>> = LazyLock::new(|| {
        WORDS.iter().flat_map(|(mark, words)| words.split(' ').map(|word| (word, *mark))).collect()
    });
    marks.add(MARKS.get(word).copied().unwrap_or_else(|| of_glued(word)));
}

/// Words written without a seam.
fn of_glued(word: &str) -> Marks {
    if word.starts_with("related") || word.starts_with("recommend") {
        Marks::RELATED
    } else if word.starts_with("newsletter") || word.starts_with("subscri") || word.starts_with("donat") {
        Marks::APPEAL
    } else if word.starts_with("breadcrumb") {
        Marks::NAV
    } else if word.starts_with("socialshare") || word.starts_with("sharing") {
        Marks::SHARE
    } else if word.starts_with("advert") || word.starts_with("sponsor") {
        Marks::AD
    } else if word.starts_with("cookie") {
        Marks::CONSENT
    } else if word.starts_with("comment") && !word.starts_with("commentary") {
        Marks::COMMENTS
    } else {
        Marks::default()
    }
}

fn of_pair(first: &str, second: &str, marks: &mut Marks) {
    let mark = match (first, second) {
        (
            "article" | "story" | "entry" | "post" | "artikel" | "articulo" | "noticia" | "news" | "blog"
            | "content" | "page" | "single" | "detail" | "text" | "body" | "rich" | "articolo" | "amp"
            | "node",
            "body" | "content" | "text" | "copy" | "inhalt" | "cuerpo" | "texto" | "corpo" | "corps"
            | "paragraphs" | "txt" | "contenido" | "contents" | "contenu" | "testo",
        ) => Marks::BODY,
        (
            "read" | "more" | "see" | "also",
            "next" | "also" | "stories" | "news" | "articles" | "read" | "from" | "on",
        )
        | ("read", "more")
        | ("most", "read" | "popular" | "viewed" | "commented")
        | ("up", "next")
        | ("next" | "previous" | "other", "article" | "articles" | "post" | "posts" | "story" | "stories")
        | ("further", "reading")
        | ("link" | "links", "list" | "box")
        | ("you", "may")
        | ("internal", "link" | "links") => Marks::RELATED,
        ("sign" | "opt", "up" | "in") | ("inline", "promo") | ("support", "us") => Marks::APPEAL,
        (
            "author" | "about",
            "bio" | "box" | "card" | "info" | "author" | "profile" | "details" | "block" | "name",
        )
        | (
            "post" | "entry" | "article" | "story",
            "meta" | "metadata" | "date" | "info" | "author" | "byline",
        )
        | ("publish" | "published" | "pub" | "publication" | "posted" | "updated", "date" | "time" | "on")
        | ("reading" | "read", "time") => Marks::BYLINE,
        (
            "tag" | "topic" | "category" | "post" | "article",
            "list" | "links" | "tags" | "topics" | "cloud" | "categories",
        ) => Marks::TAGS,
        ("privacy", "banner" | "center" | "modal" | "notice" | "popup" | "pref") => Marks::CONSENT,
        ("pull" | "blockquote", "quote" | "pull") => Marks::PULL_QUOTE,
        ("sr" | "screen" | "visually", "only" | "reader" | "hidden") => Marks::HIDDEN,
        (
            "image" | "photo" | "picture" | "media" | "bild" | "foto",
            "caption" | "credit" | "description" | "copyright" | "source",
        ) => Marks::CAPTION,
        ("sub", "title" | "heading" | "headline") => Marks::SUMMARY,
        ("live", "blog" | "feed" | "ticker" | "updates" | "post") => Marks::LIVE,
        ("key", "points") => Marks::default(),
        _ => return,
    };
    marks.add(mark);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(token: &str) -> Marks {
        let mut marks = Marks::default();
        of_token(token, &mut marks);
        marks
    }

    #[test]
    fn classes_hide_unless_others_show() {
        for (class, is_tucked) in [
            ("notice hidden", true),
            ("d-none", true),
            ("hidden md:block", false),
            ("d-none d-md-flex", false),
            ("hidden-gems", false),
        ] {
            assert_eq!(of_tokens(class).has(Marks::TUCKED), is_tucked, "{class}");
        }
    }

    #[test]
    fn class_names_are_read_by_their_words() {
        for (token, mark) in [
            ("article-body", Marks::BODY),
            ("articleBody", Marks::BODY),
            ("entry_content", Marks::BODY),
            ("relatedArticles", Marks::RELATED),
            ("c-newsletter__form", Marks::APPEAL),
            ("appeal-box", Marks::APPEAL),
            ("ad-slot-3", Marks::AD),
            ("wp-caption-text", Marks::CAPTION),
            ("post-comments", Marks::COMMENTS),
            ("vjs-no-js", Marks::HIDDEN),
            ("privacy-modal-text", Marks::CONSENT),
            ("c-teaser__text", Marks::TEASER),
            ("product-box", Marks::SHOP),
        ] {
            assert!(marks(token).has(mark), "{token}");
        }
        for token in [
            "heading",
            "shadow",
            "download",
            "cb-8f1a2c5ad",
            "navy",
            "badge",
            "story",
            "tag-privacy",
            "lg:hidden",
            "commentary",
        ] {
            assert_eq!(marks(token), Marks::default(), "{token}");
        }
    }
}
