//! A walk over XML of any make, torn and misdeclared as it comes.

use quick_xml::{
    Reader, XmlVersion,
    encoding::DecodingReader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::DiscoveryError;

/// Longest text of an element that is kept, in bytes.
const MAX_FIELD_BYTES: usize = 8 * 1024;
/// Deepest nesting read.
const MAX_DEPTH: usize = 64;

/// What [`walk`] sees; names are local, without their prefix.
pub(crate) enum Seen<'a> {
    Start { name: &'a str, element: &'a BytesStart<'a> },
    Text { name: &'a str, parent: &'a str, text: &'a str },
    End { name: &'a str },
}

/// Reads XML until `see` answers false. What is torn off at the end has been seen up to there; only a document without
/// any element is an error.
pub(crate) fn walk(
    bytes: &[u8],
    what: &'static str,
    mut see: impl FnMut(Seen<'_>) -> bool,
) -> Result<(), DiscoveryError> {
    let mut reader = Reader::from_reader(DecodingReader::new(bytes));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut buffer = Vec::new();
    let mut elements = 0_u64;
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(_) if elements > 0 => return Ok(()),
            Err(error) => return Err(DiscoveryError { what, cause: error.to_string() }),
        };
        let go_on = match event {
            Event::Start(element) => {
                elements += 1;
                text.clear();
                open.push(element.local_name().as_ref().to_owned());
                if open.len() > MAX_DEPTH {
                    return Err(DiscoveryError {
                        what,
                        cause: format!("it nests deeper than {MAX_DEPTH} levels"),
                    });
                }
                see(Seen::Start { name: open.last().map_or("", String::as_str), element: &element })
            }
            Event::End(_) => {
                let name = open.pop().unwrap_or_default();
                let parent = open.last().map_or("", String::as_str);
                let told = see(Seen::Text { name: &name, parent, text: &text });
                text.clear();
                told && see(Seen::End { name: &name })
            }
            Event::Text(part) => append(&mut text, &part.xml10_content()),
            Event::CData(part) => append(&mut text, &part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) => append(&mut text, c.encode_utf8(&mut [0; 4])),
                _ => append(&mut text, resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Event::Eof if elements == 0 => {
                return Err(DiscoveryError { what, cause: "it holds no element".to_owned() });
            }
            Event::Eof => return Ok(()),
            _ => true,
        };
        if !go_on {
            return Ok(());
        }
    }
}

fn append(text: &mut String, part: &str) -> bool {
    if text.len() + part.len() <= MAX_FIELD_BYTES {
        text.push_str(part);
    }
    true
}

/// The value of an attribute, by its local name in any case.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found =
        element.attributes().flatten().find(|a| a.key.local_name().as_ref().eq_ignore_ascii_case(name))?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}
