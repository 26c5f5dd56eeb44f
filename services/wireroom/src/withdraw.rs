//! `wireroom withdraw`: articles that are to be published no longer, and orders that are lifted.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use article::{ArticleId, CanonicalUrl};
use pipeline::{Clock, Output};
use prost::Message;
use ulid::Ulid;
use wire::{Article, Prepared, Publisher, Topic, Withdrawal};

use crate::{Outcome, cli::WithdrawOptions, reextract, source::Source};

/// Longest reason, in bytes: it stands on every record that it withdraws.
const MAX_REASON_BYTES: usize = 1024;

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn withdraw(options: &WithdrawOptions) -> Result<Outcome> {
    if options.reason.len() > MAX_REASON_BYTES {
        bail!("--reason has {} bytes; {MAX_REASON_BYTES} are as many as it may have", options.reason.len());
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
    Source::open(&options.at)?.append(orders.iter().map(output).collect())?;
    for order in &orders {
        let domain = order.publisher.as_ref().map(|publisher| publisher.domain.as_str()).unwrap_or_default();
        println!("{cause}\t{}", if order.url.is_empty() { domain } else { &order.url });
    }
    erase(&options.archives, &orders)
}

/// Takes what the orders are about out of archives. One that cannot be rewritten is named, and the others are.
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "what the command is for")]
fn erase(archives: &[PathBuf], orders: &[Article]) -> Result<Outcome> {
    let mut files = Vec::new();
    for path in archives {
        reextract::archives(path, 0, &mut files).with_context(|| format!("--archive {}", path.display()))?;
    }
    let is_meant = |url: &str| CanonicalUrl::parse(url).is_ok_and(|url| is_about(orders, &url));
    let mut outcome = Outcome::Done;
    for file in files {
        match archive::warc::erase(&file, is_meant) {
            Ok(erased) => println!("{erased} records erased: {}", file.display()),
            Err(failure) => {
                eprintln!("wireroom: {failure}");
                outcome = Outcome::SomeFailed;
            }
        }
    }
    Ok(outcome)
}

fn is_about(orders: &[Article], url: &CanonicalUrl) -> bool {
    orders.iter().any(|order| {
        let domain = order.publisher.as_ref().map(|publisher| publisher.domain.as_str());
        if order.url.is_empty() {
            domain == Some(url.registrable_domain())
        } else {
            order.url == url.as_str()
        }
    })
}

fn of_url(url: &str) -> Result<Article> {
    let parsed =
        CanonicalUrl::parse(url).with_context(|| format!("{url:?}: write the address of an article"))?;
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
        .with_context(|| format!("--domain {domain:?}: write a domain, as example.org"))?;
    let registrable = parsed.registrable_domain();
    if parsed.as_str() != format!("https://{registrable}/") {
        bail!(
            "--domain {domain:?}: articles are withdrawn by registrable domain, which here is {registrable}"
        );
    }
    Ok(Article { publisher: Some(publisher(registrable)), ..Article::default() })
}

fn publisher(domain: &str) -> Publisher {
    Publisher { domain: domain.to_owned(), ..Publisher::default() }
}

fn output(order: &Article) -> Output {
    let domain = order.publisher.as_ref().map(|publisher| publisher.domain.clone()).unwrap_or_default();
    let key = if order.article_id.is_empty() { domain } else { order.article_id.clone() };
    Output {
        topic: Topic::Prepared.name(),
        headers: wire::headers("Prepared", &Ulid::generate().to_string(), "withdraw", "", &[]),
        key: key.into(),
        value: Some(Prepared { article: Some(order.clone()), ..Prepared::default() }.encode_to_vec().into()),
    }
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
            ("https://harbour.example/ferry", false),
            ("https://news.isle.example/1", true),
            ("https://isle.example.org/1", false),
        ] {
            assert_eq!(is_about(&orders, &CanonicalUrl::parse(url).unwrap()), expected, "{url}");
        }
    }
}
