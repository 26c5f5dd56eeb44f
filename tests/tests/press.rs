//! The press answers as its readers are told it does.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tests::press::{self, Press};

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn get(press: &Press, url: &str, accept_encoding: &str) -> Answer {
    let mut stream = TcpStream::connect(press.proxy().trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "GET {url} HTTP/1.1\r\nHost: ignored\r\nAccept-Encoding: {accept_encoding}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

#[test]
fn inputs_answer_as_a_real_web_does() {
    let press = Press::open();
    let statuses: Vec<u16> = press::inputs().iter().map(|url| get(&press, url, "identity").status).collect();
    // Eight pages (robots.txt refuses the last of them), a feed, two redirects, a page that is gone.
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 301, 301, 404]);

    let within = get(&press, "http://northern-courier.example/?p=4417", "identity");
    assert_eq!(within.header("location"), Some("/science/the-woman-who-reads-the-river"));
    let across = get(&press, "http://halvern-herald.example/story/88", "identity");
    assert!(across.header("location").unwrap().starts_with("http://harbour-times.example/"));
    assert_eq!(get(&press, "http://elsewhere.example/", "identity").status, 502);
}

#[test]
fn every_page_says_its_text() {
    let press = Press::open();
    for page in press::pages() {
        let answer = get(&press, &page.url, "identity");
        let html = if page.host() == "pellworth-gazette.example" {
            assert!(std::str::from_utf8(&answer.body).is_err(), "the Gazette is not UTF-8");
            encoding_rs::WINDOWS_1252.decode(&answer.body).0.into_owned()
        } else {
            String::from_utf8(answer.body).unwrap()
        };
        let text = html.replace("&quot;", "\"").replace("&amp;", "&");
        for paragraph in &page.paragraphs {
            assert!(text.contains(&format!("<p>{paragraph}</p>")), "{}: {paragraph}", page.url);
        }
        assert!(!text.contains("{{"), "{}", page.url);
    }
}

#[test]
fn the_extractor_reads_every_page_as_its_author_wrote_it() {
    let press = Press::open();
    let mut wrong = Vec::new();
    for page in press::pages() {
        let answer = get(&press, &page.url, "identity");
        let read = extraction::extract_html(&extraction::Page {
            bytes: &answer.body,
            url: Some(&page.url),
            content_type: answer.header("content-type"),
            ..Default::default()
        });
        wrong.extend(difference(&page.url, &read.text, &page.text()));
        wrong.extend(difference(&page.url, &read.title.unwrap_or_default(), &page.headline));
        let published = read.published.map(|moment| moment.to_string()).unwrap_or_default();
        wrong.extend(difference(&page.url, &published, &page.published));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_extractor_reads_every_reprint_and_whom_it_reprints() {
    let mut wrong = Vec::new();
    for document in press::DOCUMENTS {
        let text = document.text();
        let read = extraction::extract_document(&extraction::Document {
            bytes: text.as_bytes(),
            name: Some(document.name),
            ..Default::default()
        });
        let expected = press::expected();
        let is_story = |story: &&press::Expected| {
            story.place == document.name || story.occurrences.iter().any(|(place, _)| place == document.name)
        };
        let story = expected.iter().find(is_story).unwrap();
        wrong.extend(difference(document.name, &read.text, &story.text));
        assert!(read.declared_original.len() == 1, "{}: {:?}", document.name, read.declared_original);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was read too much, and what is missing, line by line.
fn difference(place: &str, read: &str, right: &str) -> Vec<String> {
    let less = |from: &str, other: &str, sign: char| -> Vec<String> {
        let other: HashSet<&str> = other.lines().collect();
        from.lines()
            .filter(|line| !other.contains(line))
            .map(|line| format!("{place}: {sign} {line}"))
            .collect()
    };
    let mut lines = less(read, right, '+');
    lines.extend(less(right, read, '-'));
    lines
}

#[test]
fn a_page_is_compressed_for_those_who_accept_it() {
    let press = Press::open();
    let url = "http://northern-courier.example/science/the-woman-who-reads-the-river";
    let plain = get(&press, url, "identity");
    let packed = get(&press, url, "gzip, br");
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut inflated).unwrap();
    assert!(inflated == plain.body);
}

#[test]
fn robots_txt_refuses_the_members_pages() {
    let press = Press::open();
    let robots = get(&press, "http://tidewatch.example/robots.txt", "identity");
    assert_eq!(robots.body, b"User-agent: *\nDisallow: /members/\n");
    assert_eq!(get(&press, "http://harbour-times.example/robots.txt", "identity").status, 404);
    assert_eq!(press.served().iter().map(|served| served.status).collect::<Vec<_>>(), [200, 404]);
}

#[test]
fn reprints_are_wrapped_and_name_their_original() {
    for document in press::DOCUMENTS {
        let text = document.text();
        assert!(text.to_lowercase().contains("original url"), "{}", document.name);
        assert!(text.lines().all(|line| line.len() < 80 || line.contains("://")), "{}", document.name);
        assert_eq!(text.matches('$').count(), text.matches("\\$").count(), "{}", document.name);
    }
}

#[test]
fn what_is_expected_is_served_or_handed_in() {
    let urls: HashSet<&str> = press::pages().map(|page| page.url.as_str()).collect();
    let names: HashSet<&str> = press::DOCUMENTS.iter().map(|document| document.name).collect();
    for expected in press::expected() {
        let places = expected.occurrences.iter().map(|(place, _)| place).chain([&expected.place]);
        for place in places {
            assert!(urls.contains(place.as_str()) || names.contains(place.as_str()), "{place}");
        }
        assert!(expected.text.len() > 1_000 && !expected.text.contains("\\$"), "{}", expected.place);
    }
}

#[test]
fn generated_articles_are_served_and_stay_the_same() {
    let (press, again) = (Press::with_articles(30), Press::with_articles(30));
    let urls = press.article_urls();
    assert_eq!(urls.len(), 36);
    for url in &urls {
        let (one, two) = (get(&press, url, "identity"), get(&again, url, "identity"));
        assert_eq!((one.status, two.status), (200, 200), "{url}");
        assert!(one.body == two.body && one.body.len() > 4_000, "{url}: {} bytes", one.body.len());
    }
    assert_eq!(get(&press, &urls[0].replace("000000", "000030"), "identity").status, 404);
}
