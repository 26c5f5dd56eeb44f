//! What the list of sources asks for, as requests, and how that differs from what was asked for before.

use std::collections::HashMap;

use article::CanonicalUrl;
use crawl::{Outlet, Sources, Watched};
use prost::Message;
use wire::{Request, SourceState, Watch};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Labels that a request carries at most.
const MAX_LABELS: usize = 16;

/// Names a list by its URL.
pub(crate) type ListKey = [u8; 16];

/// A request to write, and the row that says it was written; none where the list is watched no longer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub key: ListKey,
    pub request: Request,
    pub row: Option<SourceState>,
}

/// The requests that lead from what was asked for before (`rows`) to what the sources ask for now: a list that is new or
/// treated in another way is asked for, one that is gone or paused is ended. In the order of the sources.
pub(crate) fn changes(sources: &Sources, mut rows: HashMap<ListKey, SourceState>) -> Vec<Change> {
    let mut changes = Vec::new();
    for request in sources.outlets().iter().filter(|outlet| !outlet.is_paused).flat_map(requests) {
        let key = key(&request.url);
        let request_hash = xxh3_64(&request.encode_to_vec());
        if rows.remove(&key).is_none_or(|row| row.request_hash != request_hash) {
            let row = Some(SourceState { url: request.url.clone(), request_hash });
            changes.push(Change { key, request, row });
        }
    }
    let mut ended: Vec<(ListKey, SourceState)> = rows.into_iter().collect();
    ended.sort_unstable_by_key(|(key, _)| *key);
    let end = |(key, row): (ListKey, SourceState)| {
        let watch = Some(Watch { ended: true, ..Watch::default() });
        let request_id = format!("source.{}", hex(&key));
        Change { key, request: Request { request_id, watch, ..list(row.url) }, row: None }
    };
    changes.extend(ended.into_iter().map(end));
    changes
}

/// A request for each list of an outlet that is not paused.
fn requests(outlet: &Outlet) -> impl Iterator<Item = Request> {
    let lists = outlet.feeds.iter().chain(&outlet.sitemaps).map(|watched| (watched, false));
    let lists = lists.chain(outlet.sections.iter().map(|watched| (watched, true)));
    lists
        .filter(|(watched, _)| !watched.is_paused)
        .map(|(watched, is_section)| request(outlet, watched, is_section))
}

fn request(outlet: &Outlet, watched: &Watched, is_section: bool) -> Request {
    let mut labels = outlet.labels.clone();
    for (name, value) in [("country", &outlet.country), ("language", &outlet.language)] {
        if let Some(value) = value.as_ref().filter(|_| labels.len() < MAX_LABELS) {
            labels.entry(name.to_owned()).or_insert_with(|| value.clone());
        }
    }
    let watch = Watch {
        ended: false,
        min_interval_ms: watched.min_interval_ms.unwrap_or(0),
        max_interval_ms: watched.max_interval_ms.unwrap_or(0),
        delay_ms: outlet.delay_ms.unwrap_or(0),
        is_section,
        find_feeds: is_section && outlet.feeds.is_empty(),
    };
    let url = watched.url.as_str();
    Request {
        request_id: format!("source.{}", hex(&key(url))),
        source_id: outlet.id.clone(),
        labels,
        priority: watched.priority.or(outlet.priority).unwrap_or(0),
        daily_quota: outlet.daily_quota.unwrap_or(0),
        watch: Some(watch),
        skip_sponsored: outlet.skips_sponsored,
        trust: outlet.trust.map(u32::from),
        ..list(url.to_owned())
    }
}

fn list(url: String) -> Request {
    Request { url, via: "source".to_owned(), ..Request::default() }
}

/// The key of the frontier that a list belongs to.
pub(crate) fn domain(request: &Request) -> String {
    CanonicalUrl::parse(&request.url).map(|url| url.registrable_domain().to_owned()).unwrap_or_default()
}

fn key(url: &str) -> ListKey {
    xxh3_128(url.as_bytes()).to_be_bytes()
}

fn hex(key: &ListKey) -> String {
    format!("{:032x}", u128::from_be_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARBOUR: &str = r#"
        [[outlet]]
        id = "harbour-post"
        feeds = ["https://harbour.example/feed.xml", { url = "https://harbour.example/sport.xml", paused = true }]
        sitemaps = [{ url = "https://harbour.example/news.xml", priority = 9, max_interval = "5m" }]
        sections = ["https://harbour.example/"]
        country = "gb"
        language = "en"
        delay = "3s"
        daily_quota = 40
        priority = 2
        trust = 70
        sponsored = "skip"
        labels = { desk = "ports", language = "sco" }
        "#;

    fn sources(text: &str) -> Sources {
        Sources::from_toml(text).unwrap()
    }

    fn rows_after(changes: &[Change]) -> HashMap<ListKey, SourceState> {
        changes.iter().filter_map(|change| Some((change.key, change.row.clone()?))).collect()
    }

    #[test]
    fn an_outlet_is_a_request_for_each_list() {
        let changes = changes(&sources(HARBOUR), HashMap::new());
        let requests: Vec<&Request> = changes.iter().map(|change| &change.request).collect();
        let urls: Vec<_> = requests.iter().map(|r| (r.url.as_str(), r.priority)).collect();
        let at = |path| format!("https://harbour.example/{path}");
        assert_eq!(urls, [(&*at("feed.xml"), 2), (&*at("news.xml"), 9), (&*at(""), 2)]);
        let feed = requests[0];
        assert_eq!(
            (feed.source_id.as_str(), feed.via.as_str(), feed.daily_quota),
            ("harbour-post", "source", 40)
        );
        assert_eq!((feed.trust, feed.skip_sponsored), (Some(70), true));
        let labels: Vec<_> = feed.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            labels,
            [("country", "gb"), ("desk", "ports"), ("language", "sco")],
            "its own labels count more"
        );
        assert_eq!(feed.watch, Some(Watch { delay_ms: 3_000, ..Watch::default() }));
        assert_eq!(requests[1].watch.unwrap().max_interval_ms, 300_000);
        let section = requests[2].watch.unwrap();
        assert!(section.is_section && !section.find_feeds, "its feeds are known");
        let without = "[[outlet]]\nid = 'a'\nsections = ['https://a.example/']";
        assert!(super::changes(&sources(without), HashMap::new())[0].request.watch.unwrap().find_feeds);
        let ids: std::collections::HashSet<_> = requests.iter().map(|request| &request.request_id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn only_what_differs_is_asked_for() {
        let told = changes(&sources(HARBOUR), HashMap::new());
        let rows = rows_after(&told);
        assert_eq!(changes(&sources(HARBOUR), rows.clone()), []);
        let faster = HARBOUR.replace("\"5m\"", "\"4m\"");
        let changed = changes(&sources(&faster), rows.clone());
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].request.watch.unwrap().max_interval_ms, 240_000);
        assert_eq!(changed[0].key, told[1].key);
        let fewer = HARBOUR.replace("sections = [\"https://harbour.example/\"]", "");
        let ended = changes(&sources(&fewer), rows.clone());
        let of_end = |change: &Change| {
            (change.request.url.clone(), change.request.watch.unwrap().ended, change.row.is_none())
        };
        assert_eq!(
            ended.iter().map(of_end).collect::<Vec<_>>(),
            [("https://harbour.example/".into(), true, true)]
        );
        let paused = HARBOUR.replace("country = \"gb\"", "paused = true");
        assert_eq!(
            changes(&sources(&paused), rows).iter().map(of_end).filter(|end| end.1 && end.2).count(),
            3
        );
    }
}
