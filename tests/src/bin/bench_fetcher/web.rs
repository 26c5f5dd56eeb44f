//! The web that the fetcher is measured on: one process, one port, and as many hosts as there are loopback addresses.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, TcpStream as Stream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{Figures, bombs};

/// A page, inflated.
const PAGE_BYTES: usize = 65_000;
/// Pages that differ.
const PAGES: usize = 32;
/// Longest head of a request.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// The running web. It closes when dropped.
pub struct Web {
    child: Child,
    /// Of every host.
    pub port: u16,
}

impl Web {
    /// Opens it. `kind`: `plain`; `closing`, where no connection is kept open (100,000 hosts are more than files may be);
    /// `mute`, where nothing is answered until [`Web::speak`]; `bombs`.
    pub fn open(kind: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["part", "web", kind]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the web cannot be opened")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        Ok(Self { child, port: line.trim().parse()? })
    }

    /// A mute web begins to answer.
    pub fn speak(&mut self) -> Result<()> {
        Ok(self.child.stdin.as_mut().context("its input")?.write_all(b"\n")?)
    }

    /// What it has seen: `pages` asked for, `gaps` between two requests for pages of a host, `least_gap_ms`.
    pub fn report(&self) -> Result<Figures> {
        let mut stream = Stream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.write_all(b"GET /report HTTP/1.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("a body")?;
        let figures = body.lines().filter_map(|line| line.split_once(' '));
        figures.map(|(name, value)| Ok((name.to_owned(), value.parse()?))).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `n`th host.
pub fn host(n: usize) -> Ipv4Addr {
    let [_, a, b, c] = (n as u32 + 1).to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}

struct Shared {
    pages: Vec<Bytes>,
    bombs: Vec<bombs::Bomb>,
    is_closing: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    pages: u64,
    gaps: u64,
    least_gap: Option<Duration>,
    last: HashMap<IpAddr, Instant>,
}

/// Serves until it is killed.
pub fn serve(arguments: &[&str]) -> Result<()> {
    let kind = arguments.first().copied().context("usage: part web KIND")?;
    let shared = Arc::new(Shared {
        pages: (0..PAGES).map(|n| gzip(&page(n))).collect(),
        bombs: if kind == "bombs" { bombs::all() } else { Vec::new() },
        is_closing: kind != "plain",
        seen: Mutex::default(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        if kind == "mute" {
            // Connections wait with the kernel.
            std::io::stdin().read_line(&mut String::new())?;
        }
        loop {
            let (stream, _) = listener.accept().await?;
            // However it ends, it ends for its client alone.
            tokio::spawn(answer_all(shared.clone(), stream));
        }
    })
}

async fn answer_all(shared: Arc<Shared>, mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let host = stream.local_addr()?.ip();
    let mut head = Vec::with_capacity(MAX_HEAD_BYTES);
    while stream.read_buf(&mut head).await? > 0 {
        if !head.ends_with(b"\r\n\r\n") {
            if head.len() > MAX_HEAD_BYTES {
                bail!("too long");
            }
            continue;
        }
        let path = head.split(|byte| *byte == b' ').nth(1).and_then(|path| std::str::from_utf8(path).ok());
        let (headers, body) = shared.answer(host, path.unwrap_or_default()).await;
        let connection = if shared.is_closing { "close" } else { "keep-alive" };
        let start = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: {connection}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(&[start.as_bytes(), &body].concat()).await?;
        if shared.is_closing {
            break;
        }
        head.clear();
    }
    Ok(())
}

impl Shared {
    async fn answer(&self, host: IpAddr, path: &str) -> (&'static str, Bytes) {
        const TEXT: &str = "Content-Type: text/plain\r\n";
        const PAGE: &str = "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n";
        let mut words = path.split('/').skip(1);
        let kind = words.next().unwrap_or_default();
        let n = words.next().and_then(|n| n.parse::<usize>().ok()).unwrap_or_default();
        match kind {
            "robots.txt" => (TEXT, Bytes::from_static(b"User-agent: *\nDisallow: /private/\n")),
            "report" => (TEXT, self.report().into()),
            "bomb" => {
                let bomb = &self.bombs[n % self.bombs.len()];
                (bomb.headers, bomb.body.clone())
            }
            _ => {
                self.see(host);
                if kind == "slow" {
                    tokio::time::sleep(crate::slow::SLOW).await;
                }
                (PAGE, self.pages[n % PAGES].clone())
            }
        }
    }

    fn see(&self, host: IpAddr) {
        let now = Instant::now();
        let mut seen = self.seen.lock().expect("no holder panics");
        seen.pages += 1;
        if let Some(last) = seen.last.insert(host, now) {
            seen.gaps += 1;
            let gap = now.duration_since(last);
            seen.least_gap = Some(seen.least_gap.map_or(gap, |least| least.min(gap)));
        }
    }

    fn report(&self) -> String {
        let seen = self.seen.lock().expect("no holder panics");
        let least_gap_ms = seen.least_gap.map_or(0.0, |gap| gap.as_secs_f64() * 1e3);
        format!("pages {}\ngaps {}\nleast_gap_ms {least_gap_ms}\n", seen.pages, seen.gaps)
    }
}

/// A page as presses have them: much markup, and words. It deflates to a fifth, and is inflated no faster than recorded
/// pages are.
fn page(n: usize) -> String {
    const SYLLABLES: [&str; 24] = [
        "har", "bour", "fer", "ry", "ta", "ble", "mo", "ni", "lo", "ken", "sta", "ver", "port", "li", "an",
        "dre", "qua", "ter", "bi", "son", "el", "gu", "wick", "os",
    ];
    let mut state = n as u64 + 1;
    let mut next = move |below: usize| {
        // A linear congruential generator (Knuth's MMIX): the pages are the same everywhere.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut word = |page: &mut String, end| {
        (0..=next(3)).for_each(|_| page.push_str(SYLLABLES[next(SYLLABLES.len())]));
        page.push_str(end);
        next(4)
    };
    let mut page =
        format!("<!doctype html><html lang=en><head><title>The Harbour Post {n}</title></head><body>");
    while page.len() < PAGE_BYTES {
        page.push_str("<div class=\"");
        (0..4).for_each(|_| {
            word(&mut page, "-");
        });
        page.push_str("\"><a href=\"https://harbour.example/");
        (0..6).for_each(|_| {
            word(&mut page, "/");
        });
        page.push_str("\" data-track=\"");
        word(&mut page, "\"><span class=\"headline headline--small\">");
        while word(&mut page, " ") > 0 {}
        page.push_str("</span></a></div>\n");
    }
    page + "</body></html>"
}

fn gzip(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory takes all").into()
}
