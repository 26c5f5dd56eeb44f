use archive::StoreSettings;
use pipeline::{
    Clock, Inputs, Limits, Log, Record,
    embedded::{Embedded, Options},
};
use wire::Document;

use super::*;

const STORY: &str = "<h1>Ferry returns to the northern isles</h1>\
    <p>The ferry to the northern isles sailed again on Monday after eleven weeks in dock, its operator said.</p>\
    <p>More than two hundred passengers waited on the quay before dawn, many of them with livestock and post.</p>\
    <p>The captain, who has sailed the route for thirty years, said that the repaired engine ran without fault.</p>";

/// What a step leaves in the topics: articles, requests, dead letters.
type Left = (Vec<Article>, Vec<Request>, Vec<Record>);

fn run(pages: &[Page]) -> Left {
    run_with(&mut Extractor::default(), pages).unwrap()
}

/// What a step over these pages leaves.
fn run_with(extractor: &mut Extractor, pages: &[Page]) -> Result<Left, LogError> {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { clock: Clock::manual(1_700_000_000_000), ..Options::default() };
    let log = Embedded::open(folder.path(), &options).unwrap();
    let output = |page: &Page| Output {
        topic: "pages",
        partition: None,
        key: "k".into(),
        value: Some(page.encode_to_vec().into()),
        headers: vec![("traceparent".to_owned(), b"00-a-b-01".to_vec())],
    };
    log.append(pages.iter().map(output).collect()).unwrap();
    let mut role = log.role(ROLE).unwrap();
    let limits = Limits { records: 100, bytes: 1 << 20, timers: 0 };
    let inputs: Inputs = role.poll(limits, std::time::Duration::ZERO).unwrap();
    let mut step = role.step();
    extractor.process(&inputs, &mut step)?;
    role.commit(step).unwrap();
    let read = |topic| log.read(topic, 0, 100).unwrap();
    for record in read("articles") {
        assert_eq!(wire::header(&record.headers, wire::TRACEPARENT), Some("00-a-b-01"));
    }
    fn decode<M: Message + Default>(records: Vec<Record>) -> Vec<M> {
        records.iter().map(|r| wire::decode(r.value.as_deref().unwrap()).unwrap()).collect()
    }
    Ok((decode(read("articles")), decode(read("requests")), read(ROLE.dead_letters)))
}

fn page(url: &str, html: &str) -> Page {
    let response = Response {
        final_url: url.to_owned(),
        status: 200,
        body: html.as_bytes().to_vec().into(),
        content_type: "text/html; charset=utf-8".to_owned(),
        ..Response::default()
    };
    let request =
        Request { request_id: "r1".to_owned(), url: url.to_owned(), seen_at_ms: 7, ..Request::default() };
    Page { request: Some(request), response: Some(response), ..Page::default() }
}

fn reprint() -> Document {
    let text = "Ferry returns to the northern isles\n\n\
        The ferry to the northern isles sailed again on Monday after eleven weeks in dock, its operator said.\n\n\
        More than two hundred passengers waited on the quay before dawn, many of them with livestock and post.\n\n\
        The captain, who has sailed the route for thirty years, said that the repaired engine ran without fault.\n\n\
        A second ship, laid up in the spring for want of crew, is to follow before the winter timetable begins in \
        October, and the council of the isles has asked for a third.\n\n\
        Original url: <https://isles.example/ferry>\n";
    Document { content: text.as_bytes().to_vec().into(), name: "ferry.txt".to_owned(), ..Document::default() }
}

#[test]
fn a_page_and_the_document_that_came_along_become_an_article_each() {
    let mut page = page("https://isles.example/ferry", STORY);
    page.request.as_mut().unwrap().document = Some(reprint());
    let (articles, requests, dead) = run(&[page]);
    assert_eq!((articles.len(), requests.len(), dead.len()), (2, 0, 0));
    assert_eq!(articles[0].url, "https://isles.example/ferry");
    assert_eq!(articles[1].declared_original, "https://isles.example/ferry");
    assert_eq!((articles[1].document_name.as_str(), articles[1].url.as_str()), ("ferry.txt", ""));
    assert!(!articles[1].body_text.contains("Original url"));
    assert_ne!(articles[0].article_id, articles[1].article_id);
    assert!(articles.iter().all(|a| a.seen_at_ms == 7 && a.warnings.is_empty()), "{articles:?}");
}

#[test]
fn a_document_stands_in_for_a_dead_original_and_says_so() {
    let request = Request {
        url: "https://isles.example/ferry".to_owned(),
        document: Some(reprint()),
        ..Request::default()
    };
    let dead = Page { request: Some(request), failure: "404 Not Found".to_owned(), ..Page::default() };
    let (articles, _, dead_letters) = run(&[dead]);
    assert_eq!((articles.len(), dead_letters.len()), (1, 0));
    assert!(articles[0].warnings.iter().any(|w| w.contains("404 Not Found")), "{:?}", articles[0].warnings);
}

#[test]
fn what_publishers_ask_is_recorded_and_respected_where_configured() {
    let mut page = page("https://isles.example/ferry", &format!("<meta name=robots content=noai>{STORY}"));
    page.response.as_mut().unwrap().headers.insert("tdm-reservation".into(), "1".into());
    for (refuse, reason) in [
        (vec![], None),
        (vec![Directive::Noarchive], None),
        (vec![Directive::Noarchive, Directive::Noai], Some("reserved")),
        (vec![Directive::Tdm], Some("reserved")),
    ] {
        let config = Config { refuse: refuse.clone() };
        let (articles, _, dead) =
            run_with(&mut Extractor::new(config, None), std::slice::from_ref(&page)).unwrap();
        let reasons: Vec<_> =
            dead.iter().filter_map(|r| wire::header(&r.headers, "wireroom_reason")).collect();
        assert_eq!(reasons, reason.into_iter().collect::<Vec<_>>(), "{refuse:?}");
        for article in articles {
            let rights = article.rights.unwrap();
            assert!(rights.noai && rights.tdm == "reserved");
        }
    }
}

#[test]
fn an_archived_copy_speaks_for_the_page_it_was_made_of() {
    let mut copy = page("https://archive.example/web/2026/https://isles.example/ferry", STORY);
    copy.request.as_mut().unwrap().memento_of = "https://isles.example/ferry".to_owned();
    let (articles, _, _) = run(&[copy]);
    let (original, _, _) = run(&[page("https://isles.example/ferry", STORY)]);
    assert_eq!(articles[0].article_id, original[0].article_id);
    assert_eq!(
        (articles[0].url.as_str(), articles[0].provenance["url"].as_str()),
        (original[0].url.as_str(), "memento")
    );
    assert!(
        articles[0].warnings[0].contains("https://archive.example/web/2026/"),
        "{:?}",
        articles[0].warnings
    );
}

#[test]
fn the_canonical_link_names_the_page_on_its_own_site_alone() {
    let with_link =
        |href: &str| format!("<link rel=canonical href='{href}'><link rel=amphtml href=/amp>{STORY}");
    let at = "https://news.isles.example/ferry?ref=front";
    for (href, url, claims) in [
        ("https://isles.example/ferry", "https://isles.example/ferry", 0),
        ("/ferry", "https://news.isles.example/ferry", 0),
        ("https://isles.example/", at, 0),
        ("https://agency.example/ferry", at, 1),
    ] {
        let (articles, requests, _) = run(&[page(at, &with_link(href))]);
        assert_eq!((articles[0].canonical_url.as_str(), requests.len()), (url, claims), "{href}");
        assert_eq!(articles[0].amp_url, "https://news.isles.example/amp");
        if claims > 0 {
            assert_eq!((requests[0].url.as_str(), requests[0].via.as_str()), (href, "canonical"));
            assert_eq!(articles[0].declared_original, href);
        }
    }
}

#[test]
fn what_comes_from_an_archive_leads_nowhere() {
    let mut page = page(
        "https://isles.example/ferry",
        &format!("<link rel=canonical href='https://agency.example/f'>{STORY}"),
    );
    page.request.as_mut().unwrap().via = "archive".to_owned();
    let (articles, requests, _) = run(&[page]);
    assert_eq!((articles[0].declared_original.as_str(), requests.len()), ("https://agency.example/f", 0));
}

#[test]
fn bodies_are_fetched_by_their_reference() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("bodies");
    let settings = StoreSettings { location: Some(at.display().to_string()), ..StoreSettings::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = archive::Store::open(&at.display().to_string()).unwrap();
    let key =
        runtime.block_on(store.put("isles.example", "https://isles.example/ferry", STORY.into())).unwrap();
    let with_reference = |key: &str| {
        let mut page = page("https://isles.example/ferry", "");
        page.response.as_mut().unwrap().body_ref = key.to_owned();
        page
    };
    let mut extractor = Extractor::new(Config::default(), Bodies::open(&settings).unwrap());
    let (articles, _, dead) = run_with(&mut extractor, &[with_reference(&key)]).unwrap();
    assert_eq!((articles.len(), dead.len()), (1, 0));
    assert_eq!(articles[0].headline, "Ferry returns to the northern isles");

    let absent = with_reference(&format!("isles.example/00/{0}/{0}", "0".repeat(64)));
    let mut stood_in_for = absent.clone();
    stood_in_for.request.as_mut().unwrap().document = Some(reprint());
    let (articles, _, dead) =
        run_with(&mut extractor, &[absent, stood_in_for, with_reference("../x")]).unwrap();
    assert_eq!((articles.len(), articles[0].document_name.as_str()), (1, "ferry.txt"));
    let reasons: Vec<_> = dead.iter().map(|d| wire::header(&d.headers, "wireroom_reason").unwrap()).collect();
    assert_eq!(reasons, ["body_missing", "broken_body"]);

    std::fs::rename(&at, folder.path().join("unmounted")).unwrap();
    for extractor in [&mut extractor, &mut Extractor::default()] {
        let failure = run_with(extractor, &[with_reference(&key)]).unwrap_err();
        assert!(failure.is_transient() && failure.to_string().contains("store"), "{failure}");
    }
}

#[test]
fn what_is_no_article_is_refused_with_its_verdict() {
    let broken = {
        let mut page = page("https://isles.example/torn", STORY);
        page.response.as_mut().unwrap().content_encoding = "gzip".to_owned();
        page
    };
    let (articles, _, dead) = run(&[page("https://isles.example/empty", ""), broken]);
    assert!(articles.is_empty());
    assert_eq!(dead.len(), 2);
    assert_eq!(wire::header(&dead[1].headers, "wireroom_reason"), Some("broken_body"));
    let detail = wire::header(&dead[0].headers, "__connect.errors.exception.message").unwrap();
    assert!(detail.starts_with("https://isles.example/empty is no article"), "{detail}");
}

#[test]
fn what_was_taken_down_becomes_an_article_without_text() {
    let request = Request { url: "https://isles.example/ferry".to_owned(), ..Request::default() };
    let gone = Page {
        request: Some(request),
        failure: "the server says 410".to_owned(),
        is_gone: true,
        gone_status: 410,
        ..Page::default()
    };
    let noticed =
        page("https://isles.example/pier", "<h1>Pier opens</h1><p>This article has been retracted.</p>");
    let (articles, requests, dead) = run(&[gone, noticed]);
    assert_eq!((articles.len(), requests.len(), dead.len()), (2, 0, 0));
    let withdrawals = articles.iter().map(|article| article.withdrawal.clone().unwrap());
    let causes: Vec<String> = withdrawals.map(|withdrawal| withdrawal.cause).collect();
    assert_eq!(causes, ["gone", "notice"]);
    assert!(articles.iter().all(|article| article.body_text.is_empty()));
    assert_eq!(articles[0].withdrawal.as_ref().unwrap().at_ms, 1_700_000_000_000);
}

const TEASER: &str = "<meta name='article:content_tier' content=locked><h1>Ferry returns to the northern isles</h1>\
    <p>The ferry to the northern isles sailed again on Monday after eleven weeks in dock, its operator said.</p>";
const PARKED: &str = "<title>isles.example</title><h1>isles.example</h1><p>This domain is for sale.";
const COPY: &str = "https://archive.example/web/https://isles.example/ferry";

fn with_copy(html: &str, document: Option<Document>) -> Page {
    let mut page = page("https://isles.example/ferry", html);
    page.memento_url = COPY.to_owned();
    page.request.as_mut().unwrap().document = document;
    page
}

/// What was asked of the archive, as a page that it sends.
fn copied(asked: &Request, html: &str) -> Page {
    let response = page(&asked.url, html).response;
    Page { request: Some(asked.clone()), response, ..Page::default() }
}

#[test]
fn of_a_page_that_is_parked_or_paywalled_an_archived_copy_is_asked_for() {
    let locked = TEASER.replace("The ferry", "<!--").replace("said.", "-->");
    for (html, because, is_published) in
        [(PARKED, "parked", 0), (TEASER, "teaser", 1), (locked.as_str(), "paywalled", 0)]
    {
        for document in [None, Some(reprint())] {
            let published = if document.is_some() { 0 } else { is_published };
            let (articles, requests, dead) = run(&[with_copy(html, document.clone())]);
            assert_eq!((articles.len(), dead.len()), (published, 0), "{because}");
            let [asked] = &requests[..] else { panic!("{because}: {requests:?}") };
            let asked = asked.clone();
            assert_eq!((asked.url.as_str(), asked.memento_because.as_str()), (COPY, because));
            assert_eq!(asked.memento_of, "https://isles.example/ferry");
            assert_eq!(asked.document, document, "the reprint goes along");
            let (articles, requests, _) = run(&[copied(&asked, STORY)]);
            assert_eq!((articles.len(), requests.len()), (1 + usize::from(document.is_some()), 0));
            assert_eq!(articles[0].url, "https://isles.example/ferry");
            let because = because.replace("teaser", "paywalled");
            assert!(articles[0].warnings[0].contains(&format!("itself being {because}")), "{articles:?}");
        }
    }
}

#[test]
fn where_no_copy_is_looked_for_the_reprint_stands_in() {
    for (html, why) in [(PARKED, "parked"), (TEASER, "its beginning")] {
        let mut page = with_copy(html, Some(reprint()));
        page.memento_url.clear();
        let (articles, requests, dead) = run(&[page]);
        assert_eq!((articles.len(), requests.len(), dead.len()), (1, 0, 0), "{why}");
        assert_eq!(articles[0].declared_original, "https://isles.example/ferry");
        assert!(articles[0].warnings[0].contains(why), "{:?}", articles[0].warnings);
    }
    let longer = STORY.replace("<h1>", "<meta name='article:content_tier' content=locked><h1>");
    let short = Document { content: "Ferry returns\n\nThe ferry is back.\n".into(), ..reprint() };
    let mut page = with_copy(&longer, Some(short));
    page.memento_url.clear();
    let (articles, ..) = run(&[page]);
    assert!(articles.iter().any(|article| article.verdict == "teaser"), "it has more than the reprint");
}

#[test]
fn where_the_archive_has_no_more_the_reprint_stands_in_and_a_teaser_stays() {
    for (html, because) in [(PARKED, "parked"), (TEASER, "teaser")] {
        let asked = run(&[with_copy(html, Some(reprint()))]).1.remove(0);
        let nothing = Page {
            request: Some(asked.clone()),
            failure: "the server answered 404".to_owned(),
            ..Page::default()
        };
        for page in [nothing, copied(&asked, PARKED), copied(&asked, TEASER)] {
            let (articles, requests, dead) = run(&[page]);
            assert_eq!((articles.len(), requests.len(), dead.len()), (1, 0, 0));
            assert_eq!(articles[0].declared_original, "https://isles.example/ferry");
            let said = &articles[0].warnings[0];
            assert!(
                said.starts_with("stands in") && said.contains(&format!("the page is {because}")),
                "{said}"
            );
        }
        let asked = run(&[with_copy(html, None)]).1.remove(0);
        let (articles, requests, dead) = run(&[copied(&asked, PARKED)]);
        let lost = usize::from(because == "parked");
        assert_eq!((articles.len(), requests.len(), dead.len()), (0, 0, lost), "{because}");
    }
    let asked = run(&[with_copy(TEASER, None)]).1.remove(0);
    let (articles, _, dead) = run(&[copied(&asked, TEASER)]);
    assert_eq!((articles.len(), dead.len()), (0, 0), "the teaser was published before");
}

#[test]
fn what_its_page_says_is_an_advertisement_is_labelled() {
    let paid = "<script type='application/ld+json'>{\"@type\":\"AdvertiserContentArticle\"}</script>";
    let mut known = page("https://isles.example/ferry", &[paid, STORY].concat());
    known.request.as_mut().unwrap().labels.insert("sponsored".into(), "category".into());
    let unknown = page("https://isles.example/ferry", &[paid, STORY].concat());
    let (articles, ..) = run(&[unknown, known, page("https://isles.example/ferry", STORY)]);
    let labels: Vec<_> =
        articles.iter().map(|article| article.labels.get("sponsored").map(String::as_str)).collect();
    assert_eq!(labels, [Some("page"), Some("category"), None]);
}
