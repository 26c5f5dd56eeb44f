//! A small web on loopback: every host is an address of its own (127.0.0.2, 127.0.0.3 ...), and answers as it is told.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// What a host says.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Before the answer begins.
    pub after: Duration,
}

/// A request as the host saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As in the request line: absolute where the client takes the host for a proxy.
    pub target: String,
    pub headers: Vec<String>,
    pub at: Instant,
}

/// A host, up until its process ends.
pub struct Host {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Reply {
    pub fn html(text: &str) -> Self {
        Self::of(200, "text/html; charset=utf-8", text.as_bytes())
    }

    pub fn of(status: u16, content_type: &str, body: &[u8]) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.to_vec(), after: Duration::ZERO }
    }

    pub fn status(status: u16) -> Self {
        Self::of(status, "text/plain", b"")
    }

    pub fn redirect(location: &str) -> Self {
        Self::status(302).with("Location", location)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

impl Host {
    /// Serves at 127.0.0.`n`. robots.txt is 404 unless `answer` says otherwise (`None`: not found).
    pub fn start(n: u8, answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((format!("127.0.0.{n}"), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (log.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (seen.clone(), answer.clone());
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self { address, log }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests so far, robots.txt left out.
    pub fn seen(&self) -> Vec<Seen> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|seen| !seen.target.ends_with("/robots.txt")).cloned().collect()
    }

    pub fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Seen>>, answer: &dyn Fn(&str) -> Option<Reply>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let target = lines[0].split(' ').nth(1).unwrap().to_owned();
    log.lock().unwrap().push(Seen {
        target: target.clone(),
        headers: lines[1..].to_vec(),
        at: Instant::now(),
    });
    let reply = answer(&target).unwrap_or_else(|| Reply::status(404));
    #[allow(clippy::disallowed_methods, reason = "a slow host is what is being served")]
    thread::sleep(reply.after);
    let mut head = format!(
        "HTTP/1.1 {} Said\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = stream;
    // A client that has heard enough hangs up.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(&reply.body));
}
