//! What the hosts of the press answer.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::generated;
use super::page::{
    HARBOUR_TIMES, KUESTENBLATT, MERIDIAN_WIRE, NORTHERN_COURIER, Outlet, PELLWORTH_GAZETTE, Page, TIDEWATCH,
    escape, fill, link,
};
use super::written::{self, BLANK, BUSY, FEED, LATEST, LATEST_PAGES, MOVED, REPRINT, TAKEN_OVER};

const FEED_TEMPLATE: &str = include_str!("../../press/templates/feed.xml");

/// Hosts, their pages and the generated articles.
#[derive(Debug)]
pub(super) struct Web {
    pages: HashMap<&'static str, &'static Page>,
    articles: usize,
    latest: AtomicUsize,
}

impl Web {
    pub fn new(articles: usize) -> Self {
        let pages = written::pages().map(|page| (page.url.as_str(), page)).collect();
        Self { pages, articles, latest: AtomicUsize::new(1) }
    }

    /// The growing feed has one more item; its URL.
    pub fn publish(&self) -> &'static str {
        let n = self.latest.fetch_add(1, Ordering::SeqCst);
        &written::page(LATEST_PAGES.get(n).expect("a page that is left")).url
    }

    /// What `host` answers for a path with its query.
    pub fn answer(&self, host: &str, path: &str, accepts_gzip: bool) -> Response {
        let url = format!("http://{host}{path}");
        if let Some(page) = generated::page(&url, self.articles) {
            let html = page.html(generated::outlet(page.host()), &generated::neighbours(&page));
            return html_response(StatusCode::OK, html.into_bytes(), accepts_gzip);
        }
        let Some(outlet) = outlet(host) else {
            return self.host_without_pages(host, &url);
        };
        match path {
            "/" => {
                return html_response(StatusCode::OK, front_page(host, outlet).into_bytes(), accepts_gzip);
            }
            "/robots.txt" if host == "tidewatch.example" => {
                return response(StatusCode::OK, "text/plain", "User-agent: *\nDisallow: /members/\n");
            }
            _ => {}
        }
        if url.split('?').next() == Some(BLANK) {
            return html_response(StatusCode::OK, Vec::new(), accepts_gzip);
        }
        if url == REPRINT.0 {
            let html = written::page(REPRINT.1).html(HARBOUR_TIMES, &[]);
            return html_response(StatusCode::OK, html.into_bytes(), accepts_gzip);
        }
        if url == MOVED.0 {
            return redirect(written::page(MOVED.1).path());
        }
        if url == FEED.0 {
            return response(StatusCode::OK, "application/rss+xml", feed(host, outlet, FEED.1));
        }
        if url == LATEST {
            let listed = LATEST_PAGES.iter().take(self.latest.load(Ordering::SeqCst)).copied();
            let newest_first: Vec<&str> = listed.rev().collect();
            return response(StatusCode::OK, "application/rss+xml", feed(host, outlet, &newest_first));
        }
        let Some(page) = self.pages.get(url.as_str()) else { return not_found(host, outlet) };
        let others: Vec<Page> =
            written::pages().filter(|other| other.url != page.url).take(5).cloned().collect();
        let html = page.html(outlet, &others);
        if outlet.name == PELLWORTH_GAZETTE.name {
            let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&html);
            return html_response(StatusCode::OK, bytes.into_owned(), accepts_gzip);
        }
        html_response(StatusCode::OK, html.into_bytes(), accepts_gzip && host == "northern-courier.example")
    }

    fn host_without_pages(&self, host: &str, url: &str) -> Response {
        if url == TAKEN_OVER.0 {
            return redirect(&written::page(TAKEN_OVER.1).url);
        }
        if host.starts_with(BUSY) {
            let status = if url.ends_with("/robots.txt") {
                StatusCode::NOT_FOUND
            } else {
                StatusCode::TOO_MANY_REQUESTS
            };
            return response(status, "text/plain", "later\n");
        }
        if TAKEN_OVER.0.contains(host) || generated::is_host(host) {
            return response(StatusCode::NOT_FOUND, "text/plain", "not found\n");
        }
        response(StatusCode::BAD_GATEWAY, "text/plain", format!("{host} does not resolve\n"))
    }
}

fn outlet(host: &str) -> Option<Outlet<'static>> {
    Some(match host {
        "meridian-wire.example" => MERIDIAN_WIRE,
        "harbour-times.example" => HARBOUR_TIMES,
        "northern-courier.example" => NORTHERN_COURIER,
        "pellworth-gazette.example" => PELLWORTH_GAZETTE,
        "tidewatch.example" => TIDEWATCH,
        "kuestenblatt.example" => KUESTENBLATT,
        _ => return None,
    })
}

fn front_page(host: &str, outlet: Outlet<'_>) -> String {
    let links: String = written::pages()
        .filter(|page| page.host() == host)
        .map(|page| format!("<li><h3>{}</h3></li>\n", link(page)))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body><h1>{name}</h1>\n<ul>\n{links}</ul></body></html>\n",
        name = escape(outlet.name)
    )
}

fn feed(host: &str, outlet: Outlet<'_>, names: &[&str]) -> String {
    fill(FEED_TEMPLATE, |key| match key {
        "publisher" => escape(outlet.name),
        "host" => host.to_owned(),
        "items" => names
            .iter()
            .map(|name| {
                let page = written::page(name);
                format!(
                    "<item><title>{}</title><link>{url}</link><guid>{url}</guid></item>\n",
                    escape(&page.headline),
                    url = page.url
                )
            })
            .collect(),
        other => panic!("the feed asks for {other}"),
    })
}

fn not_found(host: &str, outlet: Outlet<'_>) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Page not found</title></head>\n\
         <body><h1>Page not found</h1><p>The page you were looking for is no longer here. Try the \
         <a href=\"http://{host}/\">front page of {}</a>.</p></body></html>\n",
        escape(outlet.name)
    );
    html_response(StatusCode::NOT_FOUND, html.into_bytes(), false)
}

fn html_response(status: StatusCode, body: Vec<u8>, gzip: bool) -> Response {
    let mut response = response(status, "text/html", if gzip { compressed(&body) } else { body });
    if gzip {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    }
    response
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes every write")
}

fn redirect(to: &str) -> Response {
    let builder = Response::builder().status(StatusCode::MOVED_PERMANENTLY).header(header::LOCATION, to);
    builder.body(Body::empty()).expect("a valid response")
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let builder = Response::builder().status(status).header(header::CONTENT_TYPE, content_type);
    builder.body(body.into()).expect("a valid response")
}
