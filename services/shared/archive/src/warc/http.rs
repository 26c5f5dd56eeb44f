//! HTTP/1 messages as archives hold them: by many crawlers, some of them careless.

use bytes::Bytes;

/// Longest head of a message that is read, in bytes.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// A response: status, headers in order, and the body in one piece.
pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// Reads a response. `None` where it is none.
pub(super) fn parse(block: &Bytes) -> Option<Response> {
    let start = block.get(..block.len().min(MAX_HEAD))?;
    let mut lines = Lines { rest: start };
    let status = lines.next()?;
    let status = status.strip_prefix("HTTP/")?.split_whitespace().nth(1)?.parse().ok()?;
    let headers = fields(&mut lines)?;
    let body = block.slice(start.len() - lines.rest.len()..);
    let is_chunked = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().contains("chunked")
    });
    // Many crawlers undo the chunks and keep the header.
    let body = if is_chunked { unchunk(&body).unwrap_or(body) } else { body };
    Some(Response { status, headers, body })
}

/// Fields up to the empty line, folded ones unfolded. `None` where there is no such line.
pub(super) fn fields<'a>(
    lines: &mut impl Iterator<Item = std::borrow::Cow<'a, str>>,
) -> Option<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            return Some(fields);
        }
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (_, _, Some((name, value))) => fields.push((name.trim().to_owned(), value.trim().to_owned())),
            // What is no field says nothing.
            _ => {}
        }
    }
}

/// Lines without their ends, which may be CR LF or LF; the last one only where it has an end.
pub(super) struct Lines<'a> {
    pub rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = std::borrow::Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.rest.iter().position(|b| *b == b'\n')?;
        let (line, rest) = self.rest.split_at_checked(end + 1)?;
        self.rest = rest;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// The chunks of a body (RFC 9112 section 7.1) put together, as far as they go. `None` where it does not begin with one.
fn unchunk(body: &[u8]) -> Option<Bytes> {
    let mut lines = Lines { rest: body };
    let mut whole = Vec::new();
    let mut is_first = true;
    loop {
        let size = lines.next();
        let size = size.as_deref().and_then(|line| line.split(';').next());
        match size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()) {
            None if is_first => return None,
            None | Some(0) => return Some(whole.into()),
            Some(size) => {
                let (chunk, rest) = lines.rest.split_at(size.min(lines.rest.len()));
                whole.extend_from_slice(chunk);
                lines.rest = rest;
                // The end of the chunk's last line.
                lines.next();
            }
        }
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Option<(u16, usize, String)> {
        let response = parse(&Bytes::copy_from_slice(message.as_bytes()))?;
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        Some((response.status, response.headers.len(), body))
    }

    #[test]
    fn messages_of_many_crawlers() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (message, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\nbody\n".to_owned(), Some((200, 2, "body\n"))),
            ("HTTP/1.0 404\nA: b\n\n".to_owned(), Some((404, 1, ""))),
            ("HTTP/2 200 \r\nlink: <a>,\r\n\t<b>\r\n\r\nx".to_owned(), Some((200, 1, "x"))),
            (format!("{chunked}4\r\nferr\r\n1;x=y\r\ny\r\n0\r\n\r\n"), Some((200, 1, "ferry"))),
            (format!("{chunked}4\r\nferr\r\n9\r\ny"), Some((200, 1, "ferry"))),
            (format!("{chunked}<p>ferry"), Some((200, 1, "<p>ferry"))),
            ("HTTP/1.1 200 OK\r\nno field\r\n\r\n".to_owned(), Some((200, 0, ""))),
            ("HTTP/1.1 200 OK\r\nA: b\r\n".to_owned(), None),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), None),
            ("HTTP/1.1 many\r\n\r\n".to_owned(), None),
            (String::new(), None),
        ] {
            let expected = expected.map(|(status, headers, body)| (status, headers, body.to_owned()));
            assert_eq!(read(&message), expected, "{message:?}");
        }
    }
}
