use proptest::prelude::*;

use super::*;

const TOML: &str = r#"
[[outlet]]
id = "harbour-post"
name = "The Harbour Post"
feeds = [
    "https://harbour.example/feed.xml",
    { url = "https://harbour.example/ports.xml", min_interval = "5m", max_interval = "1h", priority = 7, paused = true },
]
sitemaps = [
    "https://harbour.example/news-sitemap.xml",
]
sections = [
    "https://harbour.example/",
]
country = "gb"
language = "en-GB"
delay = "5s"
daily_quota = 500
priority = -2
trust = 80
sponsored = "skip"
paused = true
labels = { desk = "ports" }

[[outlet]]
id = "tidewatch"
name = "tidewatch"
"#;

fn problems(result: Result<Sources, SourcesError>) -> Vec<String> {
    result.unwrap_err().problems.iter().map(Problem::to_string).collect()
}

#[test]
fn every_field_is_read_and_written() {
    let sources = Sources::from_toml(TOML).unwrap();
    let [post, tide] = sources.outlets() else { panic!("{sources:?}") };
    assert_eq!(
        (post.id.as_str(), post.name.as_str(), tide.name.as_str()),
        ("harbour-post", "The Harbour Post", "tidewatch")
    );
    assert_eq!((post.country.as_deref(), post.language.as_deref()), (Some("gb"), Some("en-GB")));
    assert_eq!((post.delay_ms, post.daily_quota, post.priority), (Some(5000), Some(500), Some(-2)));
    assert_eq!(
        (post.trust, post.is_paused, post.labels.get("desk").map(String::as_str)),
        (Some(80), true, Some("ports"))
    );
    assert_eq!((post.skips_sponsored, tide.skips_sponsored), (true, false));
    assert_eq!(post.watched().count(), 4);
    let [plain, other] = post.feeds.as_slice() else { panic!("{post:?}") };
    assert_eq!((plain.min_interval_ms, plain.priority, plain.is_paused), (None, None, false));
    assert_eq!((other.min_interval_ms, other.max_interval_ms), (Some(300_000), Some(3_600_000)));
    assert_eq!((other.priority, other.is_paused), (Some(7), true));
    assert_eq!(sources.to_toml().trim(), TOML.trim());
}

#[test]
fn what_is_wrong_names_outlet_and_field() {
    for (fields, told) in [
        ("", "outlet number 1: id: is missing; give a lasting name such as \"harbour-post\""),
        ("id = \"A b\"", "outlet A b: id: may hold a-z, 0-9, '.', '_' and '-' only"),
        ("id = \"a\"\nfeed = []", "outlet a: feed: is not known"),
        ("id = \"a\"\nname = 7", "outlet a: name: must be a text in quotes"),
        (
            "id = \"a\"\ndelay = \"soon\"",
            "outlet a: delay: \"soon\" is not a duration such as \"5s\" or \"2m\"",
        ),
        ("id = \"a\"\ndelay = 5", "outlet a: delay: must be a text in quotes"),
        ("id = \"a\"\ntrust = 101", "outlet a: trust: 101 is not a whole number from 0 to 100"),
        ("id = \"a\"\nsponsored = \"no\"", "outlet a: sponsored: \"no\" is neither \"keep\" nor \"skip\""),
        ("id = \"a\"\npaused = \"no\"", "outlet a: paused: \"no\" is neither true nor false"),
        ("id = \"a\"\ncountry = \"GB\"", "outlet a: country: \"GB\" is not two letters such as \"gb\""),
        (
            "id = \"a\"\nfeeds = \"x\"",
            "outlet a: feeds: must be a list: [\"https://harbour.example/feed.xml\"]",
        ),
        ("id = \"a\"\nfeeds = [{ every = \"5m\" }]", "outlet a: feeds.url: is missing"),
        ("id = \"a\"\nlabels = { x = 1 }", "outlet a: labels: \"x\" must be a text of at most 256 bytes"),
        (
            "id = \"a\"\nfeeds = [{ url = \"https://a.example/\", every = \"5m\" }]",
            "outlet a: feeds.every: is not known",
        ),
        (
            "id = \"a\"\nfeeds = [{ url = \"https://a.example/\", min_interval = \"2h\", max_interval = \"1h\" }]",
            "outlet a: feeds.min_interval: is longer than max_interval",
        ),
        ("id = \"a\"\n[[outlet]]\nid = \"a\"", "outlet a: id: outlet number 1 has it, too; ids are unique"),
        (
            "id = \"a\"\nfeeds = [\"https://a.example/f\"]\n[[outlet]]\nid = \"b\"\nfeeds = [\"HTTPS://A.example/f#x\"]",
            "outlet b: url: https://a.example/f is listed before, by outlet a; name it once",
        ),
    ] {
        let found = problems(Sources::from_toml(&format!("[[outlet]]\n{fields}")));
        assert!(found.iter().any(|p| p == told), "{fields}\n{found:?}");
    }
    let url = problems(Sources::from_toml("[[outlet]]\nid = \"a\"\nfeeds = [\"https://u:secret@x y/\"]"));
    assert!(url[0].starts_with("outlet a: feeds.url: ") && !url[0].contains("secret"), "{url:?}");
    assert!(problems(Sources::from_toml("[[outlet]]\nid = "))[0].starts_with("line 2 is not TOML"));
    assert_eq!(
        problems(Sources::from_toml("outlets = 1")),
        ["outlets: is not known; every outlet is a table [[outlet]]"]
    );
    assert_eq!(problems(Sources::from_toml("outlet = 1")), ["outlet: begin each outlet with [[outlet]]"]);
    let many = Sources::from_toml(&"[[outlet]]\nname = 1\n".repeat(1000));
    assert_eq!(problems(many).len(), MAX_PROBLEMS);
}

#[test]
fn opml_is_an_outlet_for_each_domain() {
    let opml = r#"<opml version="2.0"><body><outline text="Ports">
        <outline text="Harbour &amp; Post" xmlUrl="https://harbour.example/feed.xml" htmlUrl="https://harbour.example/" language="en"/>
        <outline text="Ports" xmlUrl="https://feeds.harbour.example/ports.xml" htmlUrl="https://harbour.example/"/>
        <outline title="Tidewatch" xmlUrl="https://tidewatch.example/atom"/></outline></body></opml>"#;
    let sources = Sources::from_opml(opml.as_bytes()).unwrap();
    let [post, tide] = sources.outlets() else { panic!("{sources:?}") };
    assert_eq!((post.id.as_str(), post.name.as_str()), ("harbour.example", "Harbour & Post"));
    assert_eq!((post.feeds.len(), post.sections.len(), post.language.as_deref()), (2, 1, Some("en")));
    assert_eq!((tide.name.as_str(), tide.feeds.len()), ("Tidewatch", 1));
    assert!(Sources::from_opml(b"no markup").is_err());
    for other in
        ["<html><body><a href='https://harbour.example/'>Harbour</a></body></html>", "<rss><channel/></rss>"]
    {
        assert!(
            problems(Sources::from_opml(other.as_bytes()))[0].contains("no outline with an xmlUrl"),
            "{other}"
        );
    }
}

#[test]
fn csv_rows_of_one_id_are_one_outlet() {
    let csv = "\u{feff}id,name,feeds,delay,daily_quota,paused\n\
        harbour-post,\"Harbour, Post\",https://harbour.example/a https://harbour.example/b,5s,10,TRUE\n\
        tidewatch,,https://tidewatch.example/,,,\n\
        harbour-post,,https://harbour.example/c,,,\n";
    let sources = Sources::from_csv(csv.as_bytes()).unwrap();
    let [post, tide] = sources.outlets() else { panic!("{sources:?}") };
    assert_eq!((post.name.as_str(), post.feeds.len(), post.delay_ms), ("Harbour, Post", 3, Some(5000)));
    assert_eq!((post.daily_quota, post.is_paused, tide.name.as_str()), (Some(10), true, "tidewatch"));
    let all = "id, name, feeds, sitemaps, sections, country, language, delay, daily_quota, priority, trust, sponsored, paused";
    for (csv, told) in [
        ("id,feed\na,x\n", format!("feed: is no column; the first line names the columns: {all}")),
        ("name\nx\n", format!("id: no such column; the first line names the columns: {all}")),
        ("id,name\n", "it holds no row below the names of its columns".to_owned()),
    ] {
        assert_eq!(problems(Sources::from_csv(csv.as_bytes())), [told]);
    }
    let row = all.split(", ").map(|name| match name {
        "id" => "a",
        "delay" => "5s",
        "sponsored" => "skip",
        "paused" => "true",
        "country" | "language" => "en",
        "feeds" | "sitemaps" | "sections" => "",
        _ => "7",
    });
    let row = row.collect::<Vec<_>>().join(",");
    let whole = Sources::from_csv(format!("{all}\n{row}\n").as_bytes());
    assert!(whole.is_ok(), "every column is read: {whole:?}");
    assert_eq!(
        problems(Sources::from_csv(b"id,trust\na,high\n")),
        ["outlet a: trust: \"high\" is not a whole number from 0 to 100"]
    );
    assert!(problems(Sources::from_csv(b"id,name\na,b,c\n"))[0].contains("CSV"));
}

#[test]
fn changes_are_told_by_outlet() {
    let read = |ids: &[(&str, u8)]| {
        let outlets = ids.iter().map(|(id, trust)| format!("[[outlet]]\nid = \"{id}\"\ntrust = {trust}\n"));
        Sources::from_toml(&outlets.collect::<String>()).unwrap()
    };
    let (before, after) = (read(&[("a", 1), ("b", 1), ("c", 1)]), read(&[("d", 1), ("c", 2), ("a", 1)]));
    let found = changes(&before, &after);
    let ids = |outlets: &[&Outlet]| outlets.iter().map(|o| o.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&found.added), ids(&found.removed)), (vec!["d".to_owned()], vec!["b".to_owned()]));
    let [(was, is)] = found.changed.as_slice() else { panic!("{found:?}") };
    assert_eq!((was.trust, is.trust), (Some(1), Some(2)));
    assert_eq!(changes(&before, &before), Changes::default());
}

#[test]
fn more_than_is_read_is_refused() {
    let many = "[[outlet]]\n".repeat(MAX_OUTLETS + 1);
    assert_eq!(
        problems(Sources::from_toml(&many)),
        ["100001 outlets are more than the 100000 that are read"]
    );
    let long = " ".repeat(MAX_BYTES + 1);
    assert!(problems(Sources::from_toml(&long))[0].contains("more than the 67108864 that are read"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        name in "\\PC{1,20}", path in "[a-z]{1,9}", min in proptest::option::of(1..9_000_000_i64), delay in 0..9_000_000_i64,
        priority in any::<Option<i32>>(), trust in proptest::option::of(0..=100_u8), is_paused: bool, skips_sponsored: bool, label in "\\PC{0,9}",
    ) {
        let url = CanonicalUrl::parse(&format!("https://harbour.example/{path}")).unwrap();
        let watched = Watched { url, min_interval_ms: min, max_interval_ms: None, priority, is_paused };
        let outlet = Outlet {
            id: "harbour-post".into(), name, feeds: vec![watched], delay_ms: Some(delay), priority, trust, is_paused, skips_sponsored,
            labels: [(label.clone(), label)].into(), ..Outlet::default()
        };
        let sources = Sources { outlets: vec![outlet] };
        prop_assert_eq!(Sources::from_toml(&sources.to_toml()).unwrap(), sources);
    }

    #[test]
    fn any_text_is_read(text in "(\\[\\[outlet\\]\\]\n|(id|feeds|name|labels|trust) = [\"a-z0-9\\[{} =]{0,9}\n|.{0,9}){0,9}") {
        let _ = Sources::from_toml(&text);
        let _ = Sources::from_csv(text.as_bytes());
        let _ = Sources::from_opml(text.as_bytes());
    }
}
