//! The title: what the page's headline, JSON-LD, OpenGraph and `<title>` say it is, weighed against each other, without
//! the site's name.

mod heading;
mod site;

use url::Url;

use self::heading::main_heading;
pub(crate) use self::{heading::heading_text, site::Site};
use crate::{
    declared::Declared,
    text::{loose, squeeze, unescape, word_count},
};

/// One account of the title.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub source: &'static str,
    pub text: String,
}

/// What a page tells of the kind of its title.
#[derive(Debug, Default)]
struct Context {
    /// Words of the last part of the page's path.
    slug: Vec<String>,
    is_news: bool,
    is_blog: bool,
    /// What its subheadings say that are no links.
    subheadings: Vec<String>,
}

/// Longer headings are standfirsts marked up as headings.
const MAX_TITLE_BYTES: usize = 400;
/// So are those of more words, where the page has another account.
const MAX_TITLE_WORDS: usize = 28;
/// Parts of an address with fewer words are numbers and sections.
const MIN_SLUG_WORDS: usize = 4;

/// Evidence for a text, in hundredths of a logit: fitted by a softmax over each page's candidates, on 1,400 pages of
/// four collections, those of small ones weighing more. Which evidences there are was chosen by cross-validation by
/// site: richer sets and boosted trees were no better there.
mod evidence {
    pub(super) const HEADING: i32 = 178;
    pub(super) const JSON_LD: i32 = 60;
    pub(super) const JSON_LD_OF_NEWS: i32 = 147;
    /// Blog engines fill JSON-LD from the field for search engines.
    pub(super) const JSON_LD_OF_BLOG: i32 = -84;
    /// The article's own heading, under an `h1` of the site, the section or a widget.
    pub(super) const SUBHEADING: i32 = 307;
    pub(super) const OPEN_GRAPH: i32 = 44;
    /// What only the `<title>` says was written for search engines.
    pub(super) const TAG: i32 = -49;
    pub(super) const JSON_LD_AND_TAG: i32 = -119;
    /// Unless they all say it, which is the newsroom's policy (kickers mostly), or all that there are.
    pub(super) const ALL_DECLARED: i32 = 260;
    pub(super) const OPEN_GRAPH_AND_TAG_ALONE: i32 = 100;
    /// Another account has this and more after it (a section or a site), or before it (a kicker).
    pub(super) const OPENS_ANOTHER: i32 = 222;
    pub(super) const ENDS_ANOTHER: i32 = 122;
    /// Two words are a section or a brand; three may be.
    pub(super) const TWO_WORDS: i32 = -188;
    pub(super) const THREE_WORDS: i32 = -53;
    /// A heading tells in full what others cut to fit.
    pub(super) const ADDS: i32 = 200;
    pub(super) const STANDFIRST: i32 = -300;
    pub(super) const CUT_OFF: i32 = -360;
    /// For all of the address's words; a share for some.
    pub(super) const ADDRESS: i32 = 88;
    pub(super) const OTHER: i32 = 41;
}

/// The page's title, of its own accounts and a feed's.
pub(crate) fn title(
    declared: &Declared,
    hint: Option<&str>,
    url: Option<&Url>,
    site: &Site,
) -> Option<Candidate> {
    let headline = declared.headline(url);
    let metas = [
        ("og:title", &["og:title"][..]),
        ("meta", &["twitter:title", "dc.title", "title", "parsely-title", "sailthru.title"]),
    ];
    let metas = metas.iter().map(|(source, keys)| (*source, declared.meta(keys)));
    let mut accounts = vec![("json-ld", headline.as_ref().map(|h| h.text.as_str()))];
    accounts.extend(metas);
    accounts.extend([
        ("microdata", declared.all_items("headline").find(|text| !site.is_name(text))),
        ("title", declared.title.as_deref()),
        ("feed", hint),
    ]);
    let slug = url.map(slug_words).unwrap_or_default();
    let said = accounts.iter().filter_map(|(_, text)| *text).chain(slug.iter().map(String::as_str));
    let heading = main_heading(declared, said, site);
    accounts.insert(0, ("h1", heading));
    let candidates: Vec<Candidate> = accounts
        .into_iter()
        .filter_map(|(source, text)| Some(Candidate { source, text: squeeze(&unescape(text?)) }))
        .filter(|c| c.text.chars().any(char::is_alphanumeric))
        .collect();
    let context = Context {
        slug,
        is_news: declared.types.iter().any(|t| t.contains("News")),
        is_blog: headline.is_some_and(|h| h.is_blog),
        subheadings: declared.subheadings.iter().filter(|(links, _)| !links).map(|(_, t)| loose(t)).collect(),
    };
    choose(&candidates, site, &context)
}

/// The text with most evidence, as the first of its sources writes it that does not shout.
fn choose(candidates: &[Candidate], site: &Site, context: &Context) -> Option<Candidate> {
    let heading = candidates.iter().find(|c| c.source == "h1").map(|c| loose(&c.text));
    let stripped: Vec<Candidate> = candidates
        .iter()
        .map(|c| Candidate { source: c.source, text: site.strip(&c.text, c.source, heading.as_deref()) })
        .filter(|c| !c.text.is_empty() && c.text.len() <= MAX_TITLE_BYTES && !site.is_name(&c.text))
        .collect();
    let stripped = without_sections(stripped);
    let keys: Vec<String> = stripped.iter().map(|c| loose(&c.text)).collect();
    let scores: Vec<i32> = (0..keys.len()).map(|at| score(at, &stripped, &keys, context)).collect();
    let best = (0..keys.len()).max_by_key(|&at| (scores[at], std::cmp::Reverse(at)))?;
    let chosen = (0..keys.len())
        .filter(|&at| keys[at] == keys[best])
        .max_by_key(|&at| (!is_shouted(&stripped[at].text), std::cmp::Reverse(at)))?;
    stripped.into_iter().nth(chosen)
}

/// What stands behind a bar goes where another account ends at the bar.
fn without_sections(accounts: Vec<Candidate>) -> Vec<Candidate> {
    let keys: Vec<String> = accounts.iter().map(|c| loose(&c.text)).collect();
    let bare = |text: &str| {
        let (before, _) = text.rsplit_once(" | ")?;
        keys.contains(&loose(before)).then(|| before.trim().to_owned())
    };
    accounts.into_iter().map(|c| Candidate { text: bare(&c.text).unwrap_or(c.text), ..c }).collect()
}

fn score(at: usize, accounts: &[Candidate], keys: &[String], context: &Context) -> i32 {
    use evidence as e;
    let key = keys[at].as_str();
    let says = |source: &str| accounts.iter().zip(keys).any(|(c, k)| c.source == source && k == key);
    let (json_ld, og, tag) = (says("json-ld"), says("og:title"), says("title"));
    let has_json_ld = accounts.iter().any(|c| c.source == "json-ld");
    let opens = (0..keys.len()).any(|other| opens(key, other, accounts, keys));
    let adds = || (0..keys.len()).any(|other| adds(at, other, accounts, keys));
    let ends = keys.iter().any(|k| k.strip_suffix(key).is_some_and(|rest| rest.ends_with(' ')));
    let words = word_count(key);
    let text = &accounts[at].text;
    let is_headed = says("h1");
    [
        (is_headed, e::HEADING),
        (!is_headed && context.subheadings.iter().any(|k| k == key), e::SUBHEADING),
        (json_ld, e::JSON_LD),
        (json_ld && context.is_news, e::JSON_LD_OF_NEWS),
        (json_ld && context.is_blog, e::JSON_LD_OF_BLOG),
        (og, e::OPEN_GRAPH),
        (tag, e::TAG),
        (json_ld && tag, e::JSON_LD_AND_TAG),
        (json_ld && tag && og && !context.is_blog, e::ALL_DECLARED),
        (!has_json_ld && tag && og && !is_headed, e::OPEN_GRAPH_AND_TAG_ALONE),
        (says("microdata") || says("feed"), e::OTHER),
        (opens, e::OPENS_ANOTHER),
        (ends, e::ENDS_ANOTHER),
        (is_headed && adds(), e::ADDS),
        (words <= 2, e::TWO_WORDS),
        (words == 3, e::THREE_WORDS),
        (words > MAX_TITLE_WORDS, e::STANDFIRST),
        (text.ends_with("...") || text.ends_with('…'), e::CUT_OFF),
    ]
    .into_iter()
    .map(|(holds, weight)| if holds { weight } else { 0 })
    .sum::<i32>()
        + in_address(key, &context.slug)
}

/// Whether another account begins with a text and adds to it. A heading has no site to add: it tells in full what others
/// cut to fit, but for what stands in brackets.
fn opens(key: &str, other: usize, accounts: &[Candidate], keys: &[String]) -> bool {
    let is_headed = || accounts.iter().zip(keys).any(|(c, k)| c.source == "h1" && *k == keys[other]);
    begins_with(&keys[other], key) && (!is_headed() || is_aside(&accounts[other].text, key))
}

/// Whether a text begins with another account, of more than a section's length, and adds more than brackets to it.
fn adds(at: usize, other: usize, accounts: &[Candidate], keys: &[String]) -> bool {
    let key = &keys[other];
    word_count(key) >= 3 && begins_with(&keys[at], key) && !is_aside(&accounts[at].text, key)
}

fn begins_with(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(' '))
}

/// Whether a text adds only brackets, or what stands behind a bar.
fn is_aside(text: &str, key: &str) -> bool {
    text.split(['(', '[', '|']).next().is_some_and(|text| loose(text) == key)
}

/// The evidence of the address: the share of its words that a text has.
fn in_address(key: &str, slug: &[String]) -> i32 {
    if slug.len() < MIN_SLUG_WORDS {
        return 0;
    }
    let plain = spelt_plainly(key);
    let found = slug.iter().filter(|word| plain.split(' ').any(|w| w == word.as_str())).count();
    let share = i32::try_from(found * 100 / slug.len()).unwrap_or(0);
    evidence::ADDRESS * share / 100
}

fn slug_words(url: &Url) -> Vec<String> {
    let path = url.path().trim_end_matches('/');
    let slug = path.rsplit('/').next().unwrap_or_default();
    let mut words: Vec<String> = loose(slug)
        .split(' ')
        .filter(|w| !matches!(*w, "" | "html" | "htm" | "php"))
        .map(str::to_owned)
        .collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(40);
    words
}

/// Letters as addresses write them.
fn spelt_plainly(key: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    if key.is_ascii() {
        return key.to_owned();
    }
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            'ä' | 'æ' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            c => out.extend(c.nfd().filter(|c| !is_combining_mark(*c))),
        }
    }
    out
}

fn is_shouted(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(candidates: &[(&'static str, &str)]) -> String {
        let site = Site::new(["The Harbour Post"], Some("www.harbourpost.example"));
        let candidates: Vec<_> =
            candidates.iter().map(|(source, text)| Candidate { source, text: (*text).to_owned() }).collect();
        choose(&candidates, &site, &Context::default()).map(|c| c.text).unwrap_or_default()
    }

    #[test]
    fn the_site_is_not_the_title() {
        for (tag, title) in [
            ("Ferry returns to the bay | The Harbour Post", "Ferry returns to the bay"),
            ("Ferry returns to the bay - harbourpost.example", "Ferry returns to the bay"),
            ("Ferry returns to the bay | News | Harbour Post", "Ferry returns to the bay"),
            ("Harbour Post: Ferry returns to the bay", "Ferry returns to the bay"),
            ("Ferry returns – and stays", "Ferry returns – and stays"),
            ("The Harbour Post", ""),
        ] {
            assert_eq!(chosen(&[("title", tag)]), title, "{tag}");
        }
    }

    #[test]
    fn accounts_that_agree_win() {
        let accounts =
            [("h1", "The Quay"), ("og:title", "Ferry returns to bay"), ("json-ld", "Ferry returns to bay")];
        assert_eq!(chosen(&accounts), "Ferry returns to bay");
        assert_eq!(
            chosen(&[("h1", "Ferry is back again"), ("og:title", "Ferry returns to bay")]),
            "Ferry is back again"
        );
    }

    #[test]
    fn a_heading_tells_in_full_what_others_cut() {
        let short = "Ferry returns to the bay";
        for (heading, title) in [
            ("Ferry returns to the bay: what to know", "Ferry returns to the bay: what to know"),
            ("Ferry returns to the bay (video)", short),
            ("Ferry returns to the bay [updated]", short),
            ("Ferry returns to the bay | Updates and more", short),
        ] {
            assert_eq!(chosen(&[("h1", heading), ("og:title", short), ("title", short)]), title, "{heading}");
        }
        let news = Context { is_news: true, ..Context::default() };
        let full = "Ferry returns to the bay at last";
        for others in [vec!["Ferry returns to the bay at…"], vec![short, short, short]] {
            let others = ["json-ld", "og:title", "title"].into_iter().zip(others);
            let accounts: Vec<_> = std::iter::once(("h1", full))
                .chain(others)
                .map(|(source, text)| Candidate { source, text: text.to_owned() })
                .collect();
            let told = choose(&accounts, &Site::default(), &news).map(|c| c.text).unwrap_or_default();
            assert_eq!(told, full, "{accounts:?}");
        }
    }

    #[test]
    fn a_standfirst_is_no_title_where_there_is_one() {
        let standfirst = "Learn when the ferry leaves, what it costs, where to park and how to take a bicycle along, \
            and read what those who have crossed the bay a hundred times say of the new timetable";
        let title = "When the ferry leaves";
        assert_eq!(chosen(&[("h1", standfirst), ("og:title", title)]), title);
        assert_eq!(chosen(&[("h1", standfirst)]), standfirst);
    }

    #[test]
    fn the_address_tells_which_heading_is_the_article_s() {
        let page =
            "<title>Where to walk</title><h1>The finest piers of the bay</h1><h1>Where to eat next</h1>";
        let parsed = crate::tree::parse(page);
        let declared = crate::declared::declared(&crate::tree::Outline::of(&parsed.html));
        for (url, expected) in [
            (Some("https://quay.example/finest-piers-bay"), "The finest piers of the bay"),
            (None, "Where to eat next"),
        ] {
            let url = url.map(|url| Url::parse(url).unwrap());
            let told = title(&declared, None, url.as_ref(), &Site::default());
            assert_eq!(told.map(|c| c.text).as_deref(), Some(expected), "{url:?}");
        }
    }

    #[test]
    fn sections_behind_a_bar_go_and_nobody_shouts() {
        let accounts = [("h1", "Ferry returns to bay | Travel"), ("og:title", "Ferry returns to bay")];
        assert_eq!(chosen(&accounts), "Ferry returns to bay");
        assert_eq!(chosen(&[("og:title", "Ferry returns to bay | Blog")]), "Ferry returns to bay");
        let accounts = [
            ("h1", "Bay traffic Ferry returns to bay"),
            ("og:title", "Ferry returns to bay"),
            ("title", "Ferry returns to bay"),
        ];
        assert_eq!(chosen(&accounts), "Ferry returns to bay");
        let accounts = [("h1", "FERRY RETURNS TO BAY"), ("og:title", "Ferry returns to bay")];
        assert_eq!(chosen(&accounts), "Ferry returns to bay");
    }

    #[test]
    fn addresses_and_the_kind_of_page_decide() {
        let site = Site::new(["The Harbour Post"], None);
        let told = |context: &Context, accounts: [(&'static str, &str); 3]| {
            let accounts = accounts.map(|(source, text)| Candidate { source, text: text.to_owned() });
            choose(&accounts, &site, context).map(|c| c.text).unwrap_or_default()
        };
        let url =
            Url::parse("https://harbourpost.example/travel/faehre-faehrt-wieder-taeglich.html").unwrap();
        let context = Context { slug: slug_words(&url), ..Context::default() };
        let accounts = [
            ("h1", "Was Reisende nun wissen"),
            ("og:title", "Fähre fährt wieder täglich"),
            ("json-ld", "Fähre fährt wieder täglich"),
        ];
        assert_eq!(told(&context, accounts), "Fähre fährt wieder täglich");
        assert_eq!(told(&Context::default(), accounts), "Was Reisende nun wissen");
        let accounts = [
            ("h1", "Ferry is back again"),
            ("og:title", "Why the ferry is here to stay"),
            ("json-ld", "Boats, bays and money lost"),
        ];
        let news = Context { is_news: true, ..Context::default() };
        assert_eq!(told(&news, accounts), "Boats, bays and money lost");
        let alone =
            [("h1", "Ferries"), ("og:title", "Ferry is back again"), ("title", "Ferry is back again")];
        let alone = alone.map(|(source, text)| Candidate { source, text: text.to_owned() });
        let told_alone = choose(&alone, &site, &Context::default()).map(|c| c.text).unwrap_or_default();
        assert_eq!(told_alone, "Ferry is back again");
        let subheadings = vec!["why the ferry is here to stay".to_owned()];
        let headed = Context { subheadings, ..Context::default() };
        assert_eq!(told(&headed, accounts), "Why the ferry is here to stay");
    }
}
