//! The stage: a page record in; articles, requests for originals and copies, or a dead letter out.

use std::time::Instant;

use archive::StoreError;
use article::{CanonicalUrl, Moment, Verdict};
use extraction::{Extraction, Hints, extract_document, extract_html};
use pipeline::{DeadLetter, Headers, Inputs, LogError, Output, Record, Role, Stage, Step};
use prost::Message;
use rayon::prelude::*;
use wire::{Article, Page, Request, Response, Topic};

use crate::{
    bodies::Bodies,
    config::{Config, Directive},
    counts::count,
    further::{claim, copy},
    record::{of_document, of_page},
    withdrawn,
};

/// The extractor's place in the flow.
pub const ROLE: Role = Role {
    name: "extractor",
    input: "pages",
    dead_letters: "deadletters.extractor",
    state_version: None,
    numbered: &[],
};

/// A body may inflate to so many bytes.
const MAX_INFLATED_BYTES: usize = 32 << 20;

/// The stage. Pages of a batch are worked on side by side. It reads bodies that are kept in the store: what cannot be read
/// now is tried again with its whole step.
#[derive(Debug, Default)]
pub struct Extractor {
    config: Config,
    bodies: Option<Bodies>,
}

impl Extractor {
    /// By the operator's settings, and with the store of bodies that is configured.
    pub fn new(config: Config, bodies: Option<Bodies>) -> Self {
        Self { config, bodies }
    }
}

/// What came of a page.
#[derive(Default)]
struct Yield {
    articles: Vec<Article>,
    /// For what else is to be fetched.
    requests: Vec<Request>,
    refusal: Option<Refusal>,
}

/// A reason, and what is to be said of it.
type Refusal = (&'static str, String);

impl Stage for Extractor {
    fn process(&mut self, inputs: &Inputs, step: &mut Step) -> Result<(), LogError> {
        let yields: Result<Vec<Yield>, LogError> =
            inputs.records.par_iter().map(|record| self.work(record)).collect();
        for (record, done) in inputs.records.iter().zip(yields?) {
            for article in done.articles {
                step.emit(article_output(&article, &record.headers));
            }
            for request in done.requests {
                step.emit(request_output(&request, &record.headers));
            }
            if let Some((reason, detail)) = done.refusal {
                step.dead_letter(DeadLetter::of(record, reason, detail));
            }
        }
        Ok(())
    }
}

impl Extractor {
    /// What comes of a record; an error where its body cannot be had now.
    fn work(&self, record: &Record) -> Result<Yield, LogError> {
        let mut page = match wire::decode::<Page>(record.value.as_deref().unwrap_or_default()) {
            Ok(page) => page,
            Err(error) => {
                return Ok(Yield { refusal: Some(("malformed", error.to_string())), ..Yield::default() });
            }
        };
        let mut lost = None;
        if let Some(response) = page.response.as_mut().filter(|response| !response.body_ref.is_empty()) {
            match self.bodies.as_ref().map(|bodies| bodies.get(&response.body_ref, MAX_INFLATED_BYTES)) {
                Some(Ok(body)) => response.body = body,
                Some(Err(failure)) if failure.is_transient() => {
                    return Err(LogError::Aborted(failure.to_string()));
                }
                Some(Err(failure)) => lost = Some(refusal_of(&failure, &response.final_url)),
                None => {
                    let cause =
                        "a page's body is in a store, and none is configured; set `location` in [store]";
                    return Err(LogError::Aborted(cause.to_owned()));
                }
            }
        }
        if page.is_gone {
            return Ok(match withdrawn::of_gone(&page, record.written_at_ms) {
                Ok(article) => Yield { articles: vec![article], ..Yield::default() },
                Err(error) => Yield { refusal: Some(("malformed", error.to_string())), ..Yield::default() },
            });
        }
        let started = Instant::now();
        let done = extract(&page, lost, &self.config.refuse);
        let seconds = started.elapsed().as_secs_f64();
        metrics::EXTRACTOR_PAGE_SECONDS.observe(seconds);
        let trace_id = trace::sampled(&record.headers);
        metrics::exemplify(&*metrics::EXTRACTOR_PAGE_SECONDS, &[], seconds, trace_id);
        Ok(done)
    }
}

fn refusal_of(failure: &StoreError, url: &str) -> Refusal {
    let reason = if matches!(failure, StoreError::Missing { .. }) { "body_missing" } else { "broken_body" };
    (reason, format!("{url}: {failure}"))
}

/// What comes of a page, whose body may be `lost`.
fn extract(page: &Page, lost: Option<Refusal>, refused: &[Directive]) -> Yield {
    let request = page.request.clone().unwrap_or_default();
    let mut done = Yield::default();
    let mut failure = page.failure.clone();
    if let Some(response) = &page.response {
        let read = lost.map_or_else(|| fetched(&request, response, refused), Err);
        let because = match &read {
            Ok((article, _)) if is_teaser(article) => "teaser",
            Err((reason @ ("parked" | "paywalled"), _)) => reason,
            _ => "",
        };
        let copy = copy(page, &request, because);
        match read {
            Ok((article, claim)) => {
                done.requests.extend(claim);
                done.articles.push(article);
            }
            Err((reason, detail)) => {
                failure.clone_from(&detail);
                done.refusal = Some((reason, detail));
            }
        }
        if because == "teaser" && request.is_extra() {
            // The copy shows no more than the page did.
            done.articles.clear();
        }
        if request.is_extra() {
            done.refusal = None;
        }
        if let Some(copy) = copy {
            done.requests.push(copy);
            done.refusal = None;
            if request.document.is_some() {
                // It goes along with the request.
                done.articles.clear();
                return done;
            }
        }
    }
    if let Some(document) = &request.document {
        let extraction = extract_document(&extraction::Document {
            bytes: &document.content,
            content_type: non_empty(&document.content_type),
            name: non_empty(&document.name),
        });
        count(&extraction, document.content.len());
        match refusal(&document.name, &extraction) {
            None => {
                let has_more = |article: &Article| extraction.text.len() > article.body_text.len();
                if let Some(teaser) = done.articles.pop_if(|article| is_teaser(article) && has_more(article))
                {
                    failure = format!("{} shows no more than its beginning", teaser.url);
                }
                done.articles.push(of_document(&request, document, extraction, &failure));
                // The document stands in for what was no article.
                done.refusal = None;
            }
            Some(refusal) => done.refusal = Some(refusal),
        }
    }
    done
}

fn is_teaser(article: &Article) -> bool {
    article.verdict == Verdict::Teaser.as_str()
}

type Fetched = (Article, Option<Request>);

fn fetched(request: &Request, response: &Response, refused: &[Directive]) -> Result<Fetched, Refusal> {
    let copied_from = if response.final_url.is_empty() { &request.url } else { &response.final_url };
    // A copy speaks for the page it was made of.
    let is_copy = !request.memento_of.is_empty();
    let url = if is_copy { &request.memento_of } else { copied_from };
    let broken = |cause: &dyn std::fmt::Display| ("broken_body", format!("{url}: {cause}"));
    let body = wire::inflate(&response.content_encoding, &response.body, MAX_INFLATED_BYTES)
        .map_err(|e| broken(&e))?;
    let fetched_at = CanonicalUrl::parse(url).map_err(|e| ("malformed", e.to_string()))?;
    let hints = request.hints.as_ref();
    let mut extraction = extract_html(&extraction::Page {
        bytes: &body,
        url: Some(url),
        content_type: non_empty(&response.content_type),
        hints: Hints {
            title: hints.map(|h| h.title.as_str()).filter(|t| !t.is_empty()),
            published: hints.and_then(|h| Moment::parse(&h.published_at).ok()),
        },
    });
    count(&extraction, body.len());
    if withdrawn::is_notice(&extraction.text) && !is_copy {
        return Ok((withdrawn::of_notice(of_page(request, response, &fetched_at, extraction)), None));
    }
    if let Some(refusal) = refusal(url, &extraction) {
        return Err(refusal);
    }
    if is_copy {
        let because = match request.memento_because.as_str() {
            "teaser" => "paywalled",
            because => because,
        };
        let made = response.headers.get("memento-datetime").map(|at| format!(" of {at}")).unwrap_or_default();
        extraction
            .warnings
            .push(format!("from an archived copy{made}, the page itself being {because}: {copied_from}"));
        extraction.provenance.insert("url", "memento");
    }
    let article = of_page(request, response, &fetched_at, extraction);
    let rights = article.rights.clone().unwrap_or_default();
    if let Some(asked) = refused.iter().find(|directive| directive.is_asked(&rights)) {
        let asked = asked.as_str();
        return Err(("reserved", format!("{url}: its publisher asks for {asked}, which `refuse` respects")));
    }
    let claim = claim(request, &article);
    Ok((article, claim))
}

/// Why an extraction is not published: its verdict, and the evidence.
fn refusal(name: &str, extraction: &Extraction) -> Option<Refusal> {
    let verdict = extraction.verdict;
    if verdict.is_publishable() && !extraction.text.is_empty() {
        return None;
    }
    let reason = match verdict {
        Verdict::Other | Verdict::ScriptShell if extraction.is_paywalled => "paywalled",
        _ if verdict.is_publishable() => "no_text",
        _ => verdict.as_str(),
    };
    let evidence = extraction.evidence.join("; ");
    Some((reason, format!("{name} is no article but: {reason} ({evidence})")))
}

fn article_output(article: &Article, came_with: &Headers) -> Output {
    let id = format!("{}/{}", article.request_id, article.article_id);
    Output {
        topic: Topic::Articles.name(),
        partition: None,
        headers: wire::headers("Article", &id, ROLE.name, &article.run_id, came_with),
        key: article.article_id.clone().into(),
        value: Some(article.encode_to_vec().into()),
    }
}

fn request_output(request: &Request, came_with: &Headers) -> Output {
    let key = CanonicalUrl::parse(&request.url)
        .map_or_else(|_| request.url.clone(), |u| u.registrable_domain().to_owned());
    Output {
        topic: Topic::Requests.name(),
        partition: None,
        headers: wire::headers("Request", &request.request_id, ROLE.name, &request.run_id, came_with),
        key: key.into(),
        value: Some(request.encode_to_vec().into()),
    }
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests;
