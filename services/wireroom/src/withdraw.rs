//! `wireroom withdraw`: articles that are to be published no longer, and orders that are lifted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use archive::{Store, StoreError, StoreSettings};
use article::{ArticleId, CanonicalUrl};
use pipeline::{Clock, Output};
use prost::Message;
use service::Config;
use tokio::runtime::Builder;
use ulid::Ulid;
use wire::{Article, Prepared, Publisher, Topic, Withdrawal};

use crate::{
    Outcome, Usage,
    cli::WithdrawOptions,
    reextract,
    source::Source,
    streams::{Report, tell},
};

/// Longest reason, in bytes: it stands on every record that it withdraws.
const MAX_REASON_BYTES: usize = 1024;

pub fn withdraw(options: &WithdrawOptions) -> Result<Outcome> {
    if options.reason.len() > MAX_REASON_BYTES {
        return Err(Usage::wrong(format_args!(
            "--reason has {} bytes; {MAX_REASON_BYTES} are as many as it may have",
            options.reason.len()
        )));
    }
    let cause = match (options.takedown, options.lift) {
        (true, _) => "takedown",
        (_, true) => "lifted",
        _ => "ordered",
    };
    let at_ms = Clock::system().now_ms();
    let withdrawal = Withdrawal { cause: cause.to_owned(), reason: options.reason.clone(), at_ms };
    let of_urls = options.urls.iter().map(|url| of_url(url));
    let of_domains = options.domains.iter().map(|domain| of_domain(domain));
    let orders: Vec<Article> = of_urls
        .chain(of_domains)
        .map(|order| Ok(Article { withdrawal: Some(withdrawal.clone()), seen_at_ms: at_ms, ..order? }))
        .collect::<Result<_>>()?;
    let source = Source::open(&options.at)?;
    // Where deciders share the languages, whose an article is nobody knows by its address.
    let partitions = source.partitions(Topic::Prepared.name())?;
    source.append(orders.iter().flat_map(|order| outputs(order, partitions)).collect())?;
    let mut report = Report::new();
    for order in &orders {
        let (domain, url) = place(order);
        report.line(format_args!("{cause}\t{}", url.unwrap_or(domain)));
    }
    if cause == "ordered" {
        report.end()?;
        return Ok(Outcome::Done);
    }
    let config = Config::load(options.at.config.as_deref())?;
    let fetcher: fetcher::Config = config.section("fetcher")?;
    let archives: Vec<PathBuf> = options.archives.iter().chain(&fetcher.archive).cloned().collect();
    let store: StoreSettings = config.section("store")?;
    let runtime = Builder::new_current_thread().enable_all().build().context("no thread for the store")?;
    // Marked first: what comes meanwhile is not kept.
    for folder in archives.iter().filter(|path| path.is_dir()) {
        let folder = Store::in_folder(folder)?;
        orders.iter().try_for_each(|order| runtime.block_on(mark(&folder, order, options.lift)))?;
    }
    let mut are_done = options.lift || erase_archives(&archives, &orders, &mut report);
    if let Some(location) = &store.location {
        let store = Store::open(location)?;
        let erased = orders.iter().map(|order| runtime.block_on(erase_bodies(&store, order, options.lift)));
        match erased.sum::<Result<u64, _>>() {
            Ok(_) if options.lift => {}
            Ok(erased) => report.line(format_args!("{erased} bodies erased: {location}")),
            Err(failure) => {
                tell(format_args!("wireroom: not all bodies are erased: {failure}"));
                are_done = false;
            }
        }
    }
    report.end()?;
    Ok(if are_done { Outcome::Done } else { Outcome::SomeFailed })
}

/// The domain that an order is about, and the address if it is about one.
fn place(order: &Article) -> (&str, Option<&str>) {
    let domain = order.publisher.as_ref().map(|publisher| publisher.domain.as_str()).unwrap_or_default();
    (domain, Some(order.url.as_str()).filter(|url| !url.is_empty()))
}

/// Marks what an order is about as to be kept no more, or takes the mark away.
async fn mark(place_of: &Store, order: &Article, is_lifted: bool) -> Result<(), StoreError> {
    let (domain, url) = place(order);
    if is_lifted { place_of.lift(domain, url).await } else { place_of.withhold(domain, url).await }
}

/// Takes the bodies of what an order is about out of the store. How many there were.
async fn erase_bodies(store: &Store, order: &Article, is_lifted: bool) -> Result<u64, StoreError> {
    mark(store, order, is_lifted).await?;
    let (domain, url) = place(order);
    if is_lifted { Ok(0) } else { store.erase(domain, url).await }
}

/// Takes what the orders are about out of archives. One that cannot be rewritten is named, and the others are.
fn erase_archives(archives: &[PathBuf], orders: &[Article], report: &mut Report) -> bool {
    let mut files = Vec::new();
    let mut are_erased = true;
    let mut failed = |failure: String| {
        tell(format_args!("wireroom: {failure}"));
        are_erased = false;
    };
    for path in archives {
        if let Err(cause) = reextract::archives(path, 0, &mut files) {
            failed(format!("nothing is erased from the archive {}: {cause:#}", path.display()));
        }
    }
    let is_meant = |url: &str| CanonicalUrl::parse(url).is_ok_and(|url| is_about(orders, &url));
    for file in files {
        match archive::warc::erase(&file, is_meant) {
            Ok(erased) => report.line(format_args!("{erased} records erased: {}", file.display())),
            Err(failure) => failed(failure.to_string()),
        }
    }
    let are_open: usize = archives.iter().map(|path| open_files(path)).sum();
    if are_open > 0 {
        report.line(format_args!(
            "{are_open} files are being written (.open): give the order again when they are closed"
        ));
    }
    are_erased
}

/// How many files of an archive a fetcher has open, and may not be rewritten.
fn open_files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "open")).count()
}

fn is_about(orders: &[Article], url: &CanonicalUrl) -> bool {
    orders.iter().any(|order| {
        let (domain, of_url) = place(order);
        // As an article's id, whatever the scheme.
        let is_same =
            |of_url: &str| of_url.split_once("://").is_some_and(|(_, rest)| rest == url.without_scheme());
        of_url.map_or(domain == url.registrable_domain(), is_same)
    })
}

fn of_url(url: &str) -> Result<Article> {
    let parsed = CanonicalUrl::parse(url)
        .map_err(|cause| Usage::wrong(format_args!("{url:?}: write the address of an article: {cause}")))?;
    Ok(Article {
        article_id: ArticleId::of_url(&parsed).as_str().to_owned(),
        url: parsed.as_str().to_owned(),
        publisher: Some(publisher(parsed.registrable_domain())),
        ..Article::default()
    })
}

/// Records are by registrable domain: to withdraw more than was asked for would be worse than an error.
fn of_domain(domain: &str) -> Result<Article> {
    let parsed = CanonicalUrl::parse(&format!("https://{domain}/"))
        .map_err(|_| Usage::wrong(format_args!("--domain {domain:?}: write a domain, as example.org")))?;
    let registrable = parsed.registrable_domain();
    if parsed.as_str() != format!("https://{registrable}/") {
        return Err(Usage::wrong(format_args!(
            "--domain {domain:?}: articles are withdrawn by registrable domain, which here is {registrable}"
        )));
    }
    Ok(Article { publisher: Some(publisher(registrable)), ..Article::default() })
}

fn publisher(domain: &str) -> Publisher {
    Publisher { domain: domain.to_owned(), ..Publisher::default() }
}

fn outputs(order: &Article, partitions: usize) -> impl Iterator<Item = Output> {
    let domain = order.publisher.as_ref().map(|publisher| publisher.domain.clone()).unwrap_or_default();
    let key = if order.article_id.is_empty() { domain } else { order.article_id.clone() };
    let output = Output {
        topic: Topic::Prepared.name(),
        partition: None,
        headers: wire::headers("Prepared", &Ulid::generate().to_string(), "withdraw", "", &[]),
        key: key.into(),
        value: Some(Prepared { article: Some(order.clone()), ..Prepared::default() }.encode_to_vec().into()),
    };
    let partitions = 0..i32::try_from(partitions).unwrap_or(i32::MAX);
    partitions.map(move |partition| Output { partition: Some(partition), ..output.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_registrable_one() {
        for (domain, is_one) in [
            ("harbour.example", true),
            ("Harbour.Example", true),
            ("news.harbour.example", false),
            ("harbour.example/ports", false),
            ("https://harbour.example", false),
            ("", false),
        ] {
            assert_eq!(of_domain(domain).is_ok(), is_one, "{domain:?}");
        }
        let error = of_domain("news.harbour.example").unwrap_err().to_string();
        assert!(error.ends_with("which here is harbour.example"), "{error}");
    }

    #[test]
    fn an_address_is_that_of_its_article() {
        let order = of_url("https://harbour.example/bridge?utm_source=x#top").unwrap();
        assert_eq!(order.url, "https://harbour.example/bridge");
        assert_eq!(order.article_id, ArticleId::of_url(&CanonicalUrl::parse(&order.url).unwrap()).as_str());
        assert!(of_url("bridge").is_err());
    }

    #[test]
    fn archives_lose_what_the_orders_are_about() {
        let orders = [of_url("https://harbour.example/bridge").unwrap(), of_domain("isle.example").unwrap()];
        for (url, expected) in [
            ("https://harbour.example/bridge", true),
            ("http://harbour.example/bridge", true),
            ("https://harbour.example/ferry", false),
            ("https://news.isle.example/1", true),
            ("https://isle.example.org/1", false),
        ] {
            assert_eq!(is_about(&orders, &CanonicalUrl::parse(url).unwrap()), expected, "{url}");
        }
    }
}
