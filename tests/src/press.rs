//! A small press of our own writing: fictional outlets, served on loopback by a plain-HTTP forward proxy.
//!
//! Whoever uses [`Press::proxy`] as HTTP proxy sees `http://harbour-times.example/...` and the others answer as news
//! sites do: articles among banners, appeals and related lists, each outlet in a template of its own; a wire story in
//! three versions, an excerpt, a feed, redirects, a dead original, a page that robots.txt refuses. [`DOCUMENTS`] are
//! reprints that go in as files. [`expected`] says what a right run over [`inputs`] and the documents gives.
//!
//! [`Press::with_articles`] adds any number of generated articles, the same on every machine, for load and crashes.

mod generated;
mod page;
mod web;
mod written;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use std::{fs, io};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub use page::Page;
pub use written::{
    BLANK, BUSY, DOCUMENTS, Document, Expected, GONE, LATEST, REPRINT, TAKEN_OVER, expected, inputs, pages,
};

use web::Web;

/// The running press. It closes when dropped.
#[derive(Debug)]
pub struct Press {
    articles: usize,
    web: Arc<Web>,
    address: SocketAddr,
    served: Arc<Mutex<Vec<Served>>>,
    runtime: Option<Runtime>,
}

/// A request that was answered.
#[derive(Debug, Clone)]
pub struct Served {
    /// As asked for.
    pub url: String,
    /// What the answer said.
    pub status: u16,
    /// When it was asked for.
    pub at: Instant,
}

impl Press {
    /// Opens the press with its written pages only.
    pub fn open() -> Self {
        Self::with_articles(0)
    }

    /// Opens the press with `articles` generated ones besides; [`article_urls`](Self::article_urls) lists them.
    pub fn with_articles(articles: usize) -> Self {
        Self::listen(0, articles).expect("a port on loopback")
    }

    /// Opens the press on a port of loopback; 0 takes a free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn listen(port: u16, articles: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .thread_name("press")
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;

        let web = Arc::new(Web::new(articles));
        let served = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&served);
        let served_web = Arc::clone(&web);
        let app = Router::new().fallback(async move |request: Request| answer(&served_web, &log, &request));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Ok(Self { articles, web, address, served, runtime: Some(runtime) })
    }

    /// `http://127.0.0.1:PORT`, for `--proxy`.
    pub fn proxy(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The generated articles and their copies at other outlets; one in five has one.
    pub fn article_urls(&self) -> Vec<String> {
        generated::urls(self.articles)
    }

    /// The feed [`LATEST`] has one more item from now on; the item's URL.
    ///
    /// # Panics
    /// When called more than twice.
    pub fn publish(&self) -> &'static str {
        self.web.publish()
    }

    /// Every request so far, robots.txt included, in order.
    pub fn served(&self) -> Vec<Served> {
        self.served.lock().expect("no request panics").clone()
    }
}

impl Drop for Press {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Writes the reprints into a folder, as files to hand to the pipeline.
///
/// # Errors
/// If the folder cannot be written to.
pub fn write_documents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    DOCUMENTS
        .iter()
        .map(|document| {
            let path = folder.join(document.name);
            fs::write(&path, document.text()).map(|()| path)
        })
        .collect()
}

fn answer(web: &Web, served: &Mutex<Vec<Served>>, request: &Request) -> Response {
    let at = Instant::now();
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, "the press answers GET over plain http:// only\n")
            .into_response();
    }
    let Some(host) = request.uri().host() else {
        return (StatusCode::BAD_REQUEST, "this is an HTTP proxy: ask for http://HOST/PATH\n")
            .into_response();
    };
    let accepts_gzip = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let response = web.answer(&host.to_ascii_lowercase(), path, accepts_gzip);
    let status = response.status().as_u16();
    served.lock().expect("no request panics").push(Served { url: request.uri().to_string(), status, at });
    response
}
