//! Generated articles: any number, of realistic length, the same for the same index on every machine.
//!
//! They are made of sentence patterns filled with words drawn at random, and no pattern has more than three words in a
//! row of its own: two of them share hardly a shingle. Every fifth stands at a second outlet too, later, under another
//! headline.

use std::sync::LazyLock;

use super::page::{HARBOUR_TIMES, MERIDIAN_WIRE, NORTHERN_COURIER, Outlet, Page, fill};

const HOSTS: u64 = 40;
const COPY_EVERY: usize = 5;
/// 2026-03-01T00:00:00Z.
const FIRST_PUBLISHED: i64 = 1_772_323_200;
/// Between an article and its copy.
const COPY_AFTER_SECONDS: i64 = 5_400;

/// The URLs of the first `articles` articles, and of their copies.
pub(super) fn urls(articles: usize) -> Vec<String> {
    (0..articles)
        .flat_map(|index| {
            let copy = index.is_multiple_of(COPY_EVERY).then(|| copy_url(index));
            std::iter::once(original_url(index)).chain(copy)
        })
        .collect()
}

/// The page at a URL, if it is one of the first `articles` or a copy of one.
pub(super) fn page(url: &str, articles: usize) -> Option<Page> {
    let index: usize = url.rsplit_once('-')?.1.parse().ok()?;
    if index >= articles {
        return None;
    }
    if url == original_url(index) {
        return Some(article(index));
    }
    (index.is_multiple_of(COPY_EVERY) && url == copy_url(index)).then(|| copy(index))
}

/// Whether a host is one of theirs.
pub(super) fn is_host(host: &str) -> bool {
    (0..HOSTS).any(|number| host_name(number) == host)
}

/// Their outlets use the templates of the written press.
pub(super) fn outlet(host: &str) -> Outlet<'_> {
    let template = match host.bytes().map(usize::from).sum::<usize>() % 3 {
        0 => MERIDIAN_WIRE,
        1 => HARBOUR_TIMES,
        _ => NORTHERN_COURIER,
    };
    Outlet { name: host.trim_end_matches(".example"), ..template }
}

/// Pages that its lists link to: headlines only, and not to be fetched.
pub(super) fn neighbours(page: &Page) -> Vec<Page> {
    let mut draws = Draws::new(page.url.bytes().map(u64::from).sum());
    (0..12)
        .map(|number| Page {
            url: format!("http://{}/archive/{number}", page.host()),
            headline: draws.fill(HEADLINES),
            authors: Vec::new(),
            published: page.published.clone(),
            section: String::new(),
            caption: String::new(),
            paragraphs: vec![draws.fill(SENTENCES)],
        })
        .collect()
}

fn article(index: usize) -> Page {
    let mut draws = Draws::new(index as u64);
    let paragraphs = 7 + draws.below(7);
    Page {
        url: original_url(index),
        headline: draws.fill(HEADLINES),
        authors: vec![draws.name()],
        published: published(index, 0),
        section: capitalised(draws.pick(&NOUNS)),
        caption: draws.fill(HEADLINES),
        paragraphs: (0..paragraphs).map(|_| draws.paragraph()).collect(),
    }
}

fn copy(index: usize) -> Page {
    Page {
        url: copy_url(index),
        headline: Draws::new(!(index as u64)).fill(HEADLINES),
        published: published(index, COPY_AFTER_SECONDS),
        ..article(index)
    }
}

fn original_url(index: usize) -> String {
    format!("http://{}/news/story-{index:06}", host_name(index as u64 % HOSTS))
}

fn copy_url(index: usize) -> String {
    format!("http://{}/from-the-wires/story-{index:06}", host_name((index as u64 * 7 + 3) % HOSTS))
}

fn host_name(number: u64) -> String {
    format!("paper-{number:02}.example")
}

fn published(index: usize, later_seconds: i64) -> String {
    let second = FIRST_PUBLISHED + 60 * i64::try_from(index).expect("an index") + later_seconds;
    jiff::Timestamp::from_second(second).expect("a date of our time").to_string()
}

/// A stream of choices (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
struct Draws(u64);

impl Draws {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    fn paragraph(&mut self) -> String {
        let sentences = 2 + self.below(3);
        (0..sentences).map(|_| self.fill(SENTENCES)).collect::<Vec<_>>().join(" ")
    }

    /// One of the patterns, with words for its gaps.
    fn fill(&mut self, patterns: &[&str]) -> String {
        let pattern = patterns[self.below(patterns.len())];
        let draws = std::cell::RefCell::new(self);
        let text = fill(pattern, |gap| {
            let mut draws = draws.borrow_mut();
            match gap {
                "noun" => draws.pick(&NOUNS).to_owned(),
                "people" => draws.pick(&PEOPLE).to_owned(),
                "adj" => draws.pick(&ADJECTIVES).to_owned(),
                "verb" => draws.pick(&VERBS).to_owned(),
                "verbed" => past(draws.pick(&VERBS)),
                "adverb" => draws.pick(&ADVERBS).to_owned(),
                "day" => draws.pick(&DAYS).to_owned(),
                "number" => (3 + draws.below(970)).to_string(),
                "place" => draws.place(),
                "name" => draws.name(),
                other => panic!("no words for {other}"),
            }
        });
        capitalised(&text)
    }

    fn place(&mut self) -> String {
        capitalised(&format!("{}{}", self.pick(&SYLLABLES), self.pick(&PLACE_ENDINGS)))
    }

    fn name(&mut self) -> String {
        let first = format!("{}{}", self.pick(&SYLLABLES), self.pick(&FIRST_NAME_ENDINGS));
        let last =
            format!("{}{}{}", self.pick(&SYLLABLES), self.pick(&SYLLABLES), self.pick(&LAST_NAME_ENDINGS));
        format!("{} {}", capitalised(&first), capitalised(&last))
    }
}

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

fn past(verb: &str) -> String {
    if verb.ends_with('e') { format!("{verb}d") } else { format!("{verb}ed") }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const HEADLINES: &[&str] = &[
    "{{place}} {{people}} {{verb}} {{adj}} {{noun}} as {{noun}} grows {{adj}}",
    "{{adj}} {{noun}} leaves {{number}} {{people}} without {{noun}} in {{place}}",
    "How a {{adj}} {{noun}} came to {{verb}} the {{noun}} of {{place}}",
    "{{name}} wants to {{verb}} {{place}}'s {{adj}} {{noun}}",
    "{{number}} {{people}} {{adverb}} {{verb}} {{noun}} and {{noun}} near {{place}}",
];

const SENTENCES: &[&str] = &[
    "The {{people}} of {{place}} {{adverb}} {{verbed}} a {{adj}} {{noun}} on {{day}}, after {{number}} {{people}} had \
     {{verbed}} their {{noun}}.",
    "{{name}}, who speaks for {{number}} {{people}} in {{place}}, said the {{noun}} was {{adj}} and should {{verb}} \
     every {{noun}}.",
    "In {{place}} the {{adj}} {{noun}} cost {{number}} crowns, while {{people}} {{adverb}} {{verbed}} the {{noun}} \
     with {{adj}} {{noun}}.",
    "\"We {{verbed}} the {{noun}} because {{people}} wanted {{adj}} {{noun}},\" said {{name}} of {{place}}, \
     {{adverb}}.",
    "Nobody {{adverb}} {{verbed}} this {{noun}}, but {{adj}} {{people}} from {{place}} {{verbed}} {{number}} of \
     {{adj}} {{noun}}.",
    "Since {{day}}, {{people}} have {{verbed}} more {{noun}} than {{noun}}, a {{adj}} {{noun}} that {{name}} \
     {{adverb}} {{verbed}}.",
    "Without {{adj}} {{noun}}, {{people}} at {{place}} {{adverb}} {{verbed}} what {{name}} called {{adj}} {{noun}}.",
    "About {{number}} {{people}} {{verbed}} into {{place}} to {{verb}} {{noun}}, {{noun}} and {{adj}} {{noun}}.",
    "Their {{adj}} {{noun}} {{adverb}} {{verbed}} {{name}}, whose {{noun}} in {{place}} had {{verbed}} {{number}} \
     {{people}}.",
    "If the {{noun}} does not {{verb}} {{place}}, {{people}} will {{adverb}} {{verb}} their {{adj}} {{noun}} by \
     {{day}}.",
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const PLACE_ENDINGS: [&str; 9] = ["ford", "ham", "by", "mouth", "stead", "wick", "bridge", "ness", "dale"];
const FIRST_NAME_ENDINGS: [&str; 7] = ["a", "en", "o", "ia", "us", "ette", "ard"];
const LAST_NAME_ENDINGS: [&str; 5] = ["son", "er", "mann", "s", "ley"];

static NOUNS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "bridge council harvest tunnel budget orchard ferry library contract reservoir election quarry \
    vaccine railway orchestra pension museum landfill tariff glacier lighthouse strike verdict satellite brewery \
    drought hospital embassy parade shipyard inquiry archive bakery embargo turbine chapel loan referendum canal \
    curriculum wildfire dispute monument cinema merger rehearsal greenhouse census vineyard playground courthouse \
    aqueduct treaty subsidy motorway regatta laboratory kitchen warehouse forecast statue fountain newspaper pipeline \
    festival battery excavation apprenticeship telescope cathedral timetable waterfall allotment catalogue prison \
    sundial substation roundabout dictionary mosaic petition beehive avalanche carousel ballot",
    )
});

static PEOPLE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "teachers farmers engineers nurses voters fishermen bakers judges pensioners students drivers \
    architects miners musicians gardeners councillors surveyors plumbers historians cyclists referees volunteers \
    shepherds pharmacists printers conductors sailors tailors clerks beekeepers firefighters translators",
    )
});

static ADJECTIVES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "cautious wooden expensive northern forgotten generous hollow temporary crowded silent \
    rusty ambitious coastal doubtful narrow medieval brilliant fragile public private stubborn elegant damp distant \
    remarkable ordinary bitter modest electric secret ancient provincial seasonal nervous bankrupt floating painted \
    unfinished winding popular controversial celebrated neglected portable",
    )
});

static VERBS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "repair abandon approve paint question restore measure reject inspect borrow celebrate postpone \
    finance ignore defend protect rename purchase flood double record suspect guard replace visit praise oppose \
    drain transport invent welcome challenge register photograph dismantle recommend rescue examine",
    )
});

static ADVERBS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "quietly reluctantly eventually publicly twice hastily officially cheerfully narrowly \
    repeatedly grudgingly suddenly patiently formally rarely openly carefully angrily",
    )
});

static SYLLABLES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "bran cor del esk fal gar hol ing jor kel lun mar nor os pel quin ros sand tor ul var wen yar \
    zel ald ber crom dun ever fin glen har ister kirk lang",
    )
});

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn shingles(text: &str, width: usize) -> HashSet<Vec<String>> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        words.windows(width).map(<[String]>::to_vec).collect()
    }

    #[test]
    fn different_articles_share_hardly_a_shingle() {
        let texts: Vec<_> = (0..150).map(|index| article(index).text()).collect();
        for width in [3, 5] {
            let sets: Vec<_> = texts.iter().map(|text| shingles(text, width)).collect();
            for (index, set) in sets.iter().enumerate() {
                for other in &sets[index + 1..] {
                    let shared = set.intersection(other).count() as f64 / set.len().min(other.len()) as f64;
                    assert!(
                        shared < 0.1,
                        "{shared} of the {width}-word shingles of {index} stand in another article"
                    );
                }
            }
        }
    }

    #[test]
    fn articles_are_as_long_as_news() {
        let words: Vec<_> = (0..200).map(|index| article(index).text().split_whitespace().count()).collect();
        assert!(words.iter().all(|count| (180..1_200).contains(count)), "{words:?}");
    }

    #[test]
    fn every_listed_url_has_its_page_and_no_other() {
        let urls = urls(12);
        assert_eq!(urls.len(), 15);
        assert_eq!(urls.iter().collect::<HashSet<_>>().len(), 15);
        assert!(urls.iter().all(|url| page(url, 12).is_some_and(|page| page.url == *url)));
        assert!(page(&original_url(12), 12).is_none());
        assert_eq!(page(&urls[1], 12).unwrap().text(), page(&urls[0], 12).unwrap().text());
    }
}
