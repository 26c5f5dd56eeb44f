//! No bytes panic the extractor, and none keep it busy.

use std::time::{Duration, Instant};

use extraction::{Document, Page, extract_document, extract_html, original_url};
use proptest::prelude::*;

fn both(bytes: &[u8]) {
    extract_html(&Page { bytes, url: Some("https://example.com/2020/01/02/x"), ..Page::default() });
    extract_document(&Document { bytes, ..Document::default() });
    extract_document(&Document { bytes, name: Some("a.txt"), ..Document::default() });
    original_url(&String::from_utf8_lossy(bytes));
}

/// Pieces of markup and text that the extractor looks at closely.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zß-ü .,:;!?()/|–“”\\\\-]{0,40}",
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<div class='article-body related'>",
            "</div>",
            "<h1>",
            "</h1>",
            "<table><tr><td>",
            "</table>",
            "<a href=x>",
            "</a>",
            "<br>",
            "<li>",
            "<ul>",
            "</ul>",
            "<blockquote>",
            "<script type='application/ld+json'>",
            "</script>",
            "{\"@type\":\"NewsArticle\",\"author\":",
            "<script>window.__STATE__={\"title\":\"a\",\"body\":[",
            "{\"type\":\"paragraph\",\"content\":[",
            "JSON.parse(\"",
            "<noscript>",
            "<div id=root>",
            "<h2>18:20</h2>",
            "[[[[",
            "\"datePublished\":\"",
            "<meta property=og:title content='",
            "'>",
            "<time datetime='2020-13-45T99:99'>",
            "<!--",
            "-->",
            "<",
            "&#x110000;",
            "Original url: ",
            "https://",
            "<https://example.com/(a>",
            "\n\n",
            "By ",
            "12:60 p.m. March 32, 2020",
            "年月日",
            "İ",
            "ǅ",
            "\u{0}",
            "Photo: ",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        both(&bytes);
    }

    #[test]
    fn any_markup_is_read(pieces in prop::collection::vec(piece(), 0..40)) {
        both(pieces.concat().as_bytes());
    }
}

/// A page of one paragraph, and what is read of it.
fn paragraph_of(bytes: &[u8], content_type: Option<&str>) -> String {
    extract_html(&Page { bytes, content_type, ..Page::default() }).text
}

#[test]
fn declared_and_undeclared_encodings_are_read() {
    const GERMAN: &str =
        "Der Rat beschloss am Dienstag, die Fährbrücke über den großen Fluss zu erneuern, sagte Ümit Öhler.";
    const RUSSIAN: &str =
        "Совет во вторник решил отремонтировать старую паромную пристань до зимних штормов, сказала Анна.";
    const JAPANESE: &str =
        "港湾評議会は火曜日の夜、冬の嵐が来る前に古い桟橋を修理することを決めたと発表した。";
    const CHINESE: &str = "海港理事会周二晚投票决定在冬季风暴来临之前维修旧渡轮码头，费用为四百二十万克朗。";
    let page = |charset: &str, text: &str| format!("<meta charset={charset}><title>x</title><p>{text}</p>");
    let encode = |label: &str, text: &str| {
        encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
    };
    for (declared, used, text) in [
        ("utf-8", "windows-1252", GERMAN),
        ("iso-8859-1", "windows-1252", GERMAN),
        ("windows-1251", "windows-1251", RUSSIAN),
        ("utf-8", "windows-1251", RUSSIAN),
        ("koi8-r", "koi8-r", RUSSIAN),
        ("shift_jis", "shift_jis", JAPANESE),
        ("x-sjis", "shift_jis", JAPANESE),
        ("euc-jp", "euc-jp", JAPANESE),
        ("gb18030", "gb18030", CHINESE),
        ("gb2312", "gb18030", CHINESE),
        ("big5", "utf-8", JAPANESE),
    ] {
        let bytes = encode(used, &page(declared, text));
        assert_eq!(paragraph_of(&bytes, None), text, "declared {declared}, used {used}");
    }
    for (mark, content_type) in [(true, None), (false, Some("text/html; charset=utf-16le"))] {
        let marked = [if mark { "\u{feff}" } else { "" }, &page("utf-16", RUSSIAN)].concat();
        let units: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(paragraph_of(&units, content_type), RUSSIAN, "UTF-16, {content_type:?}");
    }
}

#[test]
fn undeclared_utf_16_is_read() {
    let text = "The harbour council voted on Tuesday evening to repair the old ferry pier before winter.";
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let page = format!("<!DOCTYPE html><title>Pier</title><p>{text}</p>");
        let bytes: Vec<u8> = page.encode_utf16().flat_map(to_bytes).collect();
        assert_eq!(paragraph_of(&bytes, None), text);
    }
}

#[test]
fn nul_bytes_and_broken_references_are_survived() {
    let bytes =
        b"<title>Pi\0er</title><p>The har\0bour council voted &amp &#0; &#xD800; &#x110000; &nosuch; &#; &\
        on Tuesday evening to repair the old ferry pier.\0</p>\0";
    let found = paragraph_of(bytes, None);
    assert!(found.contains("council voted &") && found.contains("ferry pier"), "{found}");
    assert!(!found.contains('\0'), "{found}");
}

/// What one page may take, on a busy machine and unoptimised.
const LONGEST: Duration = Duration::from_secs(60);

#[test]
fn huge_pages_are_cut_and_end() {
    const MEGABYTE: usize = 1 << 20;
    let story = "<p>The harbour council voted on Tuesday evening to repair the old ferry pier.</p>\n";
    let pages: [(&str, String); 8] = [
        ("20 megabytes of paragraphs", story.repeat(20 * MEGABYTE / story.len())),
        ("a megabyte of one tag's name", format!("<{}>{story}", "a".repeat(MEGABYTE))),
        ("a megabyte of one attribute's name", format!("<p {}=1>{story}", "a".repeat(MEGABYTE))),
        ("a megabyte of one attribute's value", format!("<p class='{}'>{story}", "ad ".repeat(MEGABYTE / 3))),
        ("a megabyte of one text", format!("<p>{}</p>", "word and ".repeat(MEGABYTE / 9))),
        ("a megabyte without a space", format!("<p>{}</p>", "w".repeat(MEGABYTE))),
        ("a megabyte of references", format!("<p>{}</p>", "&amp;lt;".repeat(MEGABYTE / 8))),
        (
            "a megabyte of state",
            format!("<script>x={{\"a\":[{}]}}</script>", "{\"body\":[".repeat(MEGABYTE / 9)),
        ),
    ];
    for (name, page) in pages {
        let start = Instant::now();
        both(page.as_bytes());
        assert!(start.elapsed() < LONGEST, "{name} took {:?}", start.elapsed());
    }
}

/// Input that grows fourfold may take this many times as long; were the cost quadratic, it would take sixteen times.
const MAX_GROWTH: u32 = 8;
/// What a busy machine may add to a measurement.
const NOISE: Duration = Duration::from_millis(50);
/// Measurements, of which one must hold: others may run beside it.
const ATTEMPTS: usize = 4;

/// Writes a hostile page of a size.
type Write = fn(usize) -> String;

#[test]
fn hostile_pages_cost_no_more_than_their_size() {
    let pages: [(&str, usize, Write); 22] = [
        ("nesting", 8000, |n| "<div>".repeat(n)),
        ("nesting with text", 3000, |n| "<div>a word or two ".repeat(n)),
        ("inline nesting", 8000, |n| "<b>".repeat(n) + "x"),
        ("formatting", 250, |n| {
            let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
            format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(n))
        }),
        ("attributes", 10_000, |n| {
            let attributes: String = (0..n).map(|i| format!(" a{i}=1")).collect();
            format!("<p{attributes}>x</p>")
        }),
        ("tables", 3000, |n| "<table><tr><td>".repeat(n)),
        ("many short blocks", 1500, |n| "<p>Read more</p><p>A sentence, short. </p>".repeat(n)),
        ("many publishers", 1000, |n| {
            let site = |i: usize| format!("{{\"@type\":\"WebSite\",\"name\":\"Site {i:05}\"}},");
            let sites: String = (0..n).map(site).collect();
            format!(
                "<script type='application/ld+json'>[{sites}{{}}]</script>{}",
                "<p>At the pier we stand.</p>".repeat(n)
            )
        }),
        ("many headings", 3000, |n| "<h2>a b c d</h2>".repeat(n)),
        ("many captions", 2000, |n| format!("<p>{}", "<img><small>At the pier.</small><br><br>".repeat(n))),
        ("many lines", 1000, |n| "Related\n\nSign up for our newsletter now\n\n".repeat(n)),
        ("original lines", 1000, |n| "Original url:\n".repeat(n)),
        ("json", 10_000, |n| format!("<script type='application/ld+json'>{}</script>", "[".repeat(n))),
        ("state", 10_000, |n| {
            format!(
                "<script>x={{\"title\":\"a\",\"body\":[{}]}}</script>",
                "{\"body\":[{}]},".repeat(n) + "1"
            )
        }),
        ("nested state", 2000, |n| {
            let nested = "{\"title\":\"a\",\"body\":[".repeat(20) + &"]}".repeat(20) + ",";
            format!("<script>x=[{}1]</script>", nested.repeat(n / 20))
        }),
        ("assignments", 10_000, |n| format!("<script>{}</script>", "={\"a\":".repeat(n))),
        ("brackets", 20_000, |n| "(".repeat(n)),
        ("nesting with tags that close nothing", 8000, |n| "<i></x><div></y>".repeat(n)),
        ("references", 20_000, |n| "&notanything&#".repeat(n)),
        ("scripts in a script", 5000, |n| "<script><!--".repeat(n)),
        ("one attribute again and again", 10_000, |n| format!("<p{}>x</p>", " class=a".repeat(n))),
        ("unclosed", 30_000, |n| "<".repeat(n) + &"<!--".repeat(n / 2)),
    ];
    for (name, size, write) in pages {
        let measure = |page: String| {
            let start = Instant::now();
            both(page.as_bytes());
            start.elapsed()
        };
        let costs = (0..ATTEMPTS).map(|_| (measure(write(size)), measure(write(4 * size))));
        let mut seen = Vec::new();
        let holds = costs.inspect(|cost| seen.push(*cost)).any(|(one, four)| four < one * MAX_GROWTH + NOISE);
        assert!(holds, "{name}: size {size} and four times that took {seen:?}");
    }
}
