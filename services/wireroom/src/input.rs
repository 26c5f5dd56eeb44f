//! What users give as input, as requests.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use article::CanonicalUrl;
use crawl::Kind;
use pipeline::Output;
use prost::Message;
use serde::de::IgnoredAny;
use wire::{Document, Request, Topic};

/// Largest document or list of URLs read, in bytes.
const MAX_FILE_BYTES: u64 = 8 << 20;
/// Folders within folders.
const MAX_FOLDER_DEPTH: usize = 8;

/// An input, or a part of one, that cannot be used: its name and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub input: String,
    pub why: String,
}

/// Requests of the inputs, each like `template` but for its URL or document and id; and what cannot be used.
///
/// Ids are counted up after the template's, so that the same inputs in the same run have the same. What is written to `out`
/// is no input of a folder that it is in.
pub fn requests(inputs: &[String], template: &Request, out: Option<&Path>) -> (Vec<Request>, Vec<Unusable>) {
    let out = out.and_then(|out| fs::canonicalize(out).ok());
    let mut reader = Reader { template: template.clone(), out, ..Reader::default() };
    for input in inputs {
        reader.read(input);
    }
    (reader.requests, reader.unusable)
}

/// The record of a request: keyed by registrable domain, by its id where there is no URL.
pub fn output(request: &Request) -> Output {
    let domain = CanonicalUrl::parse(&request.url).map(|url| url.registrable_domain().to_owned());
    Output {
        topic: Topic::Requests.name(),
        partition: None,
        key: domain.unwrap_or_else(|_| request.request_id.clone()).into(),
        headers: wire::headers("Request", &request.request_id, "submit", &request.run_id, &[]),
        value: Some(request.encode_to_vec().into()),
    }
}

/// Whether `out` is one of these files itself.
pub fn is_among(inputs: &[String], out: &Path) -> bool {
    fs::canonicalize(out).is_ok_and(|out| inputs.iter().any(|input| is_file(Path::new(input), &out)))
}

#[derive(Default)]
struct Reader {
    template: Request,
    out: Option<PathBuf>,
    requests: Vec<Request>,
    unusable: Vec<Unusable>,
}

impl Reader {
    fn read(&mut self, input: &str) {
        if input == "-" {
            let mut content = Vec::new();
            match std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut content) {
                Ok(_) => self.content("standard input", content),
                Err(cause) => self.refuse("standard input", cause.to_string()),
            }
        } else if is_web_address(input) {
            self.url(input, input);
        } else {
            self.path(Path::new(input), 0);
        }
    }

    fn path(&mut self, path: &Path, depth: usize) {
        let name = path.display().to_string();
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(_) if name.contains("://") => {
                return self.refuse(&name, "is not an http or https URL, and nothing else can be fetched");
            }
            Err(cause) => return self.refuse(&name, format!("{cause}; give a URL, a file or a folder")),
        };
        if metadata.is_dir() {
            return self.folder(path, depth);
        }
        if metadata.len() > MAX_FILE_BYTES {
            return self.refuse(&name, format!("is larger than {} MB", MAX_FILE_BYTES >> 20));
        }
        match fs::read(path) {
            Ok(content) => self.content(&name, content),
            Err(cause) => self.refuse(&name, cause.to_string()),
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        let name = path.display().to_string();
        if depth == MAX_FOLDER_DEPTH {
            return self.refuse(&name, format!("is more than {MAX_FOLDER_DEPTH} folders deep"));
        }
        let entries: Result<Vec<PathBuf>, _> =
            fs::read_dir(path).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
        match entries {
            Ok(mut entries) => {
                entries.sort();
                entries.retain(|entry| !self.out.as_deref().is_some_and(|out| is_file(entry, out)));
                entries.iter().for_each(|entry| self.path(entry, depth + 1));
            }
            Err(cause) => self.refuse(&name, cause.to_string()),
        }
    }

    /// A list of URLs, or else a document.
    fn content(&mut self, name: &str, content: Vec<u8>) {
        if content.len() as u64 > MAX_FILE_BYTES {
            return self.refuse(name, format!("is larger than {} MB", MAX_FILE_BYTES >> 20));
        }
        if content.trim_ascii().is_empty() {
            return self.refuse(name, "is empty");
        }
        let kind = crawl::sniff("", &content);
        if matches!(kind, Kind::Pdf | Kind::Media | Kind::Binary | Kind::Gzip) {
            return self.refuse(name, format!("is {}, not text or HTML", kind.as_str()));
        }
        if is_json(&content) {
            return self.refuse(name, "is JSON, not text or HTML");
        }
        let text = String::from_utf8_lossy(&content);
        let lines: Vec<(usize, &str)> = (1..).zip(text.trim_start_matches('\u{feff}').lines()).collect();
        let lines = lines.into_iter().map(|(number, line)| (number, without_note(line).trim()));
        let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty()).collect();
        // One odd line makes no document of a list.
        if 2 * lines.iter().filter(|(_, line)| is_web_address(line)).count() > lines.len() {
            return lines
                .iter()
                .for_each(|(number, line)| self.line(line, &format!("line {number} of {name}")));
        }
        let document = Document { content: content.into(), name: name.to_owned(), ..Document::default() };
        self.push(Request { document: Some(document), ..self.template.clone() });
    }

    fn line(&mut self, line: &str, name: &str) {
        match line.split_once(char::is_whitespace) {
            Some((url, _)) if is_web_address(url) => {
                self.refuse(name, format!("{url} has more behind it: begin what is a note with ` #`"));
            }
            _ => self.url(line, name),
        }
    }

    fn url(&mut self, url: &str, name: &str) {
        match CanonicalUrl::parse(url) {
            Ok(url) => self.push(Request { url: url.as_str().to_owned(), ..self.template.clone() }),
            Err(cause) => self.refuse(name, cause.to_string()),
        }
    }

    fn push(&mut self, mut request: Request) {
        request.request_id = format!("{}-{}", self.template.request_id, self.requests.len() + 1);
        self.requests.push(request);
    }

    fn refuse(&mut self, input: &str, why: impl Into<String>) {
        self.unusable.push(Unusable { input: input.to_owned(), why: why.into() });
    }
}

/// Whether a path leads to this file.
fn is_file(path: &Path, file: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path == file)
}

/// JSON, or lines of it. A text may begin with a bracket, and does not go on as JSON.
fn is_json(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii();
    let mut values = serde_json::Deserializer::from_slice(content).into_iter::<IgnoredAny>();
    matches!(content.first(), Some(b'{' | b'[')) && values.all(|value| value.is_ok())
}

/// A line without its note: what a `#` begins that stands first or after a space.
fn without_note(line: &str) -> &str {
    let mut before = ' ';
    let note = line.find(|c: char| std::mem::replace(&mut before, c).is_whitespace() && c == '#');
    note.and_then(|at| line.get(..at)).unwrap_or(line)
}

fn is_web_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_every_kind() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(at("sub/b.txt"), "A reprint.\n\nIt has two lines; see https://a.example/1 for more.")
            .unwrap();
        fs::write(at("sub/a.urls"), "# two\nhttps://a.example/1\n\nhttps://b.example/2\n").unwrap();
        fs::write(at("sub/out.jsonl"), "").unwrap();
        fs::write(at("sub/records.jsonl"), "{\"headline\": \"one\"}\n{\"headline\": \"two\"}\n").unwrap();
        fs::write(at("sub/wire.txt"), "[1] HARBOUR (Reuters) - The board voted.").unwrap();
        fs::write(at("picture.txt"), b"\x89PNG\r\n\x1a\n\0\0\0\0").unwrap();
        fs::write(at("empty.txt"), " \n").unwrap();
        let inputs = [
            "https://c.example/3",
            &at("sub"),
            &at("picture.txt"),
            &at("empty.txt"),
            &at("none"),
            "ftp://x/y",
            "http://",
        ];
        let template =
            Request { request_id: "run".to_owned(), run_id: "run".to_owned(), ..Request::default() };
        let (requests, unusable) =
            requests(&inputs.map(str::to_owned), &template, Some(Path::new(&at("sub/out.jsonl"))));
        let urls: Vec<_> =
            requests.iter().map(|r| (r.request_id.as_str(), r.url.as_str(), r.document.is_some())).collect();
        let expected = [
            ("run-1", "https://c.example/3", false),
            ("run-2", "https://a.example/1", false),
            ("run-3", "https://b.example/2", false),
            ("run-4", "", true),
            ("run-5", "", true),
        ];
        assert_eq!(urls, expected);
        let names: Vec<_> = unusable.iter().map(|u| u.input.as_str()).collect();
        assert_eq!(
            names,
            [
                &at("sub/records.jsonl"),
                &at("picture.txt"),
                &at("empty.txt"),
                &at("none"),
                "ftp://x/y",
                "http://"
            ]
        );
        assert_eq!(&output(&requests[0]).key[..], b"c.example");
        assert_eq!(&output(&requests[3]).key[..], b"run-4");
    }

    fn read(content: &str) -> (Vec<String>, Vec<Unusable>) {
        let mut reader = Reader::default();
        reader.content("list.txt", content.as_bytes().to_vec());
        (reader.requests.into_iter().map(|request| request.url).collect(), reader.unusable)
    }

    #[test]
    fn an_odd_line_of_a_list_is_named_and_the_others_are_read() {
        let list = "\u{feff}https://a.example/1\r\n# of today\n\nhttps://b.example/2#top # seen\n  https://c.example/3\n";
        let good = ["https://a.example/1", "https://b.example/2", "https://c.example/3"];
        assert_eq!(read(list), (good.map(str::to_owned).to_vec(), Vec::new()));
        for (odd, cause) in [
            ("d.example/news/4", "\"d.example/news/4\" is not a URL"),
            ("htp://d.example/4", "is not an http or https URL"),
            ("https://d.example/4\ta note", "https://d.example/4 has more behind it"),
            ("https://d.example/4#top of it", "https://d.example/4#top has more behind it"),
        ] {
            let (urls, unusable) = read(&format!("{list}{odd}"));
            assert_eq!(urls, good, "{odd}");
            let [Unusable { input, why }] = unusable.as_slice() else { panic!("{unusable:?}") };
            assert!(input == "line 6 of list.txt" && why.contains(cause), "{input}: {why}");
        }
    }

    #[test]
    fn addresses_in_a_text_make_no_list_of_it() {
        let text = "https://a.example/1\n\nThe board voted on Tuesday.\nhttps://b.example/2\n#7 is closed.\nIt reopens.";
        assert_eq!(read(text), (vec![String::new()], Vec::new()));
    }
}
