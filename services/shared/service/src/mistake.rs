//! What is wrong with a setting, as a sentence: which, where it is written, and what it should be. What it is is not said: it may
//! be a secret.

use figment::{
    Error, Metadata, Source,
    error::{Actual, Kind},
};

/// Where a setting is written: ` in wireroom.toml`.
pub(crate) fn place(metadata: Option<&Metadata>) -> String {
    match metadata {
        Some(Metadata { source: Some(Source::File(file)), .. }) => format!(" in {}", file.display()),
        Some(metadata) => format!(" in {}", metadata.name),
        None => String::new(),
    }
}

/// The sentence about a setting of `section`.
pub(crate) fn sentence(section: &str, error: &Error) -> String {
    // A path as figment gives it begins below the section, and ends with it.
    let keys =
        error.path.iter().take(error.path.len().saturating_sub(1)).map(|key| match key.contains('.') {
            true => format!(".{key:?}"),
            false => format!(".{key}"),
        });
    let keys: String = keys.collect();
    let is_client = section == "kafka" && keys.starts_with(".client.");
    let setting = format!("{section}{keys}{}", place(error.metadata.as_ref()));
    match &error.kind {
        Kind::UnknownField(name, known) => format!("{setting} is no setting; {}", which(name, known)),
        Kind::UnknownVariant(word, known) => format!("{setting} is {word:?}; {}", which(word, known)),
        Kind::InvalidType(Actual::Map, _) if is_client => {
            format!("{setting} is a table: put the whole of a name with dots in quotes, as \"sasl.password\"")
        }
        Kind::InvalidType(_, wanted) | Kind::InvalidValue(_, wanted) => {
            format!("{setting} must be {}", in_words(wanted))
        }
        Kind::Message(cause) if cause == "invalid socket address syntax" => {
            format!("{setting} must be an address with its port, such as \"127.0.0.1:9464\"")
        }
        cause => format!("{setting}: {cause}"),
    }
}

/// The one that is meant, or all that there are.
pub(crate) fn which(name: &str, known: &[&str]) -> String {
    let distance = |known: &&&str| strsim::damerau_levenshtein(name, known);
    match known.iter().min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= name.len().div_ceil(4) => format!("did you mean {nearest}?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// What serde expects, for people who write TOML.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "a duration" => "a duration such as \"2s\"",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list such as [\"one\", \"two\"]",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not less than 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        table if table.starts_with("struct ") || table == "a map" => "a table of settings",
        other => other,
    }
}
