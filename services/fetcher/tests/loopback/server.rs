//! A small web on loopback: every host is an address of its own (127.0.0.2, 127.0.0.3 ...), and answers as it is told, or
//! as no server should.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
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

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The next request on the connection.
    Listen,
    HangUp,
}

/// A host, up until its process ends, or until it vanishes.
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

    /// Says it; whether the connection is closed is in its headers, if it is to be.
    pub fn say(&self, stream: &mut TcpStream) -> io::Result<()> {
        let length = self.body.len();
        let mut head = format!("HTTP/1.1 {} Said\r\nContent-Length: {length}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(&self.body)
    }
}

impl Host {
    /// Serves at 127.0.0.`n`. robots.txt is 404 unless `answer` says otherwise (`None`: not found).
    pub fn start(n: u8, answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::vanishing(n, usize::MAX, answer)
    }

    /// The same, but after so many connections nobody listens any more.
    pub fn vanishing(
        n: u8,
        connections: usize,
        answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(n, connections, move |target, stream| {
            let reply = answer(target).unwrap_or_else(|| Reply::status(404));
            if !reply.after.is_zero() {
                tick(stream, reply.after)?;
            }
            reply.with("Connection", "close").say(stream)?;
            Ok(Then::HangUp)
        })
    }

    /// Serves whatever `speak` writes to the connection, robots.txt included.
    pub fn wild(
        n: u8,
        speak: impl Fn(&str, &mut TcpStream) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(n, usize::MAX, speak)
    }

    fn listen(
        n: u8,
        connections: usize,
        speak: impl Fn(&str, &mut TcpStream) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((format!("127.0.0.{n}"), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen, speak) = (log.clone(), Arc::new(speak));
        thread::spawn(move || {
            for stream in listener.incoming().flatten().take(connections) {
                let (seen, speak) = (seen.clone(), speak.clone());
                // A client that has heard enough hangs up.
                thread::spawn(move || serve(stream, &seen, &*speak));
            }
        });
        Self { address, log }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Requests so far, robots.txt left out.
    pub fn seen(&self) -> Vec<Seen> {
        self.all_seen().into_iter().filter(|seen| !seen.target.ends_with("/robots.txt")).collect()
    }

    /// Requests so far.
    pub fn all_seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }
}

/// Waits, unless the client hangs up before: whether it is still there.
pub fn tick(stream: &mut TcpStream, every: Duration) -> io::Result<bool> {
    stream.set_read_timeout(Some(every))?;
    let heard = match stream.read(&mut [0]) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
        heard => heard.map(|bytes| bytes > 0),
    };
    stream.set_read_timeout(None)?;
    heard
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Seen>>,
    speak: &dyn Fn(&str, &mut TcpStream) -> io::Result<Then>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let target = lines[0].split(' ').nth(1).unwrap().to_owned();
        let headers = lines[1..].to_vec();
        log.lock().unwrap().push(Seen { target: target.clone(), headers, at: Instant::now() });
        if speak(&target, &mut stream)? == Then::HangUp {
            return Ok(());
        }
    }
}
