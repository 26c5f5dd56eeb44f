//! Reading archives, our own and other crawlers'.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use super::{
    http::{self, Lines, MAX_HEAD},
    record::date_ms,
    recover::is_torn,
};

/// What a message may have beside its body: head and ends of chunks, in bytes.
const BESIDE_BODY: u64 = 1 << 20;

/// An answer that an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// What was asked for.
    pub url: String,
    /// When, in Unix milliseconds; `None` where the record does not say it to the second.
    pub at_ms: Option<i64>,
    /// Of the answer.
    pub status: u16,
    /// Of the answer, in order.
    pub headers: Vec<(String, String)>,
    /// In one piece, compressed by `Content-Encoding`.
    pub body: Bytes,
    /// Whether the crawler cut it short.
    pub is_truncated: bool,
    fields: Vec<(String, String)>,
}

impl Captured {
    /// The first header of this name, however written.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// A field of the record itself.
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }
}

/// Why an archive is not read (any further).
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// Its end is missing, or damaged.
    #[error("{0} is torn after {1} records: what comes after them is lost")]
    Torn(PathBuf, u64),
    /// There is something else where a record should begin.
    #[error("{0} holds no WARC record after {1} of them: is it a .warc or .warc.gz file?")]
    NoRecord(PathBuf, u64),
}

/// The responses in a file, in order. Everything else in it is passed over, as are responses with longer bodies than
/// asked for. After an error comes nothing.
pub struct Reader {
    path: PathBuf,
    input: Box<dyn BufRead>,
    max_body: usize,
    records: u64,
    is_over: bool,
    is_gzip: bool,
}

/// The head of a record.
pub(super) struct Head {
    /// As it stands in the file, with the empty line that ends it.
    pub(super) raw: Vec<u8>,
    fields: Vec<(String, String)>,
    /// Of the block, in bytes.
    length: u64,
}

impl Head {
    /// What the record is of, where it is of something.
    pub(super) fn target(&self) -> Option<&str> {
        // Some put it in angle brackets, as version 1.0 had it.
        find(&self.fields, "WARC-Target-URI").map(|url| url.trim_start_matches('<').trim_end_matches('>'))
    }
}

enum Next {
    Captured(Captured),
    Other,
    End,
}

impl Reader {
    /// Opens a `.warc` or `.warc.gz` file, told apart by its content.
    pub fn open(path: &Path, max_body: usize) -> Result<Self, ReadError> {
        let failed = |cause| ReadError::File(path.to_owned(), cause);
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let is_gzip = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        Ok(Self { path: path.to_owned(), input, max_body, records: 0, is_over: false, is_gzip })
    }

    /// Whether the file is compressed.
    pub(super) fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    /// Records read so far, of all kinds.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The head of the next record, if there is one. Its block is to be read next.
    pub(super) fn head(&mut self) -> Result<Option<Head>, ReadError> {
        let mut raw = Vec::new();
        // What stands between records is empty lines.
        loop {
            raw.clear();
            if self.line(&mut raw)? == 0 {
                return Ok(None);
            }
            if !raw.trim_ascii().is_empty() {
                break;
            }
        }
        if !raw.starts_with(b"WARC/") {
            return Err(ReadError::NoRecord(self.path.clone(), self.records));
        }
        let version = raw.len();
        loop {
            let before = raw.len();
            if self.line(&mut raw)? == 0 {
                return Err(self.torn());
            }
            if raw.get(before..).is_some_and(|line| line.trim_ascii().is_empty()) {
                break;
            }
            if raw.len() > MAX_HEAD {
                return Err(ReadError::NoRecord(self.path.clone(), self.records));
            }
        }
        let fields = raw.get(version..).and_then(|rest| http::fields(&mut Lines { rest }));
        let fields = fields.unwrap_or_default();
        let Some(length) = find(&fields, "Content-Length").and_then(|value| value.parse::<u64>().ok()) else {
            return Err(ReadError::NoRecord(self.path.clone(), self.records));
        };
        Ok(Some(Head { raw, fields, length }))
    }

    /// Copies the block of the record whose head was just read.
    pub(super) fn block(&mut self, head: &Head, to: &mut impl Write) -> Result<(), ReadError> {
        let copied = io::copy(&mut (&mut self.input).take(head.length), to);
        if copied.map_err(|cause| self.failed(cause))? < head.length {
            return Err(self.torn());
        }
        self.records += 1;
        Ok(())
    }

    fn read(&mut self) -> Result<Next, ReadError> {
        let Some(head) = self.head()? else { return Ok(Next::End) };
        let is = |name: &str, start: &str| {
            find(&head.fields, name).is_some_and(|value| value.to_ascii_lowercase().starts_with(start))
        };
        let is_wanted = is("WARC-Type", "response")
            && is("Content-Type", "application/http")
            && head.length <= self.max_body as u64 + BESIDE_BODY;
        if !is_wanted {
            self.block(&head, &mut io::sink())?;
            return Ok(Next::Other);
        }
        let mut block = Vec::new();
        self.block(&head, &mut block)?;
        Ok(match http::parse(&block.into()) {
            Some(response) if response.body.len() <= self.max_body => {
                Next::Captured(captured(head, response))
            }
            _ => Next::Other,
        })
    }

    /// Adds a line, with its end.
    fn line(&mut self, to: &mut Vec<u8>) -> Result<usize, ReadError> {
        let read = (&mut self.input).take(MAX_HEAD as u64).read_until(b'\n', to);
        read.map_err(|cause| self.failed(cause))
    }

    fn failed(&self, cause: io::Error) -> ReadError {
        if is_torn(&cause) { self.torn() } else { ReadError::File(self.path.clone(), cause) }
    }

    fn torn(&self) -> ReadError {
        ReadError::Torn(self.path.clone(), self.records)
    }
}

impl Iterator for Reader {
    type Item = Result<Captured, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            match self.read() {
                Ok(Next::Captured(captured)) => return Some(Ok(captured)),
                Ok(Next::Other) => {}
                Ok(Next::End) => self.is_over = true,
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn captured(head: Head, response: http::Response) -> Captured {
    let url = head.target().unwrap_or_default().to_owned();
    let fields = head.fields;
    Captured {
        url,
        at_ms: find(&fields, "WARC-Date").and_then(date_ms),
        status: response.status,
        headers: response.headers,
        body: response.body,
        is_truncated: find(&fields, "WARC-Truncated").is_some(),
        fields,
    }
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
