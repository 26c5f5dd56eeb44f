//! The rules of a robots.txt that concern one crawler, and what they say of an address (RFC 9309 section 2.2).
//!
//! Reading is linear in the text, and matching in the lengths of address and rules, whatever a hostile file holds.

use article::CanonicalUrl;

use super::{
    MAX_ROBOTS_BYTES, is_token_byte,
    pattern::{matches, normal},
};

/// What of a line is read, as Google's parser does; the rest of it is ignored.
const MAX_LINE_BYTES: usize = 8 * 2083 - 1;

/// The rules for one crawler, and no others: small, whatever the size of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Robots {
    /// The longest first, allowing before disallowing: the first that matches decides.
    rules: Vec<Rule>,
    crawl_delay_ms: i64,
}

/// A rule of robots.txt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it allows what it matches.
    pub is_allow: bool,
    /// In its one spelling: escapes in upper case and only where needed, but for `*` and a `$` at the end.
    pub pattern: String,
    /// Its line in the file, from 1, where that is known.
    pub line: Option<u32>,
}

impl Robots {
    /// Reads the rules that concern the crawler with this product token, of the first [`MAX_ROBOTS_BYTES`].
    pub fn parse(text: &[u8], token: &str) -> Self {
        Self::read(numbered(whole_lines(text)), token)
    }

    /// Reads what [`Self::to_text`] has written, the lines that it notes included.
    pub fn parse_kept(text: &[u8], token: &str) -> Self {
        Self::read(text.split(|b| *b == b'\n').map(|line| (noted(line), line)), token)
    }

    fn read<'t>(lines: impl Iterator<Item = (Option<u32>, &'t [u8])>, token: &str) -> Self {
        let (mut own, mut everyones) = (Group::default(), Group::default());
        let (mut is_own, mut is_everyones, mut is_head) = (false, false, false);
        for (line, (key, value)) in lines.filter_map(|(line, text)| Some((line, record(text)?))) {
            match key {
                Key::Agent => {
                    if !is_head {
                        (is_own, is_everyones, is_head) = (false, false, true);
                    }
                    match value {
                        [b'*'] | [b'*', b' ' | b'\t', ..] => is_everyones = true,
                        _ if names(value, token) => is_own = true,
                        _ => {}
                    }
                    own.is_there |= is_own;
                    everyones.is_there |= is_everyones;
                    continue;
                }
                // Section 2.2.4: other records must not end the head of a group.
                Key::Other => continue,
                Key::Allow | Key::Disallow | Key::Delay => is_head = false,
            }
            for group in [(is_own, &mut own), (is_everyones, &mut everyones)] {
                if let (true, group) = group {
                    group.take(key, value, line);
                }
            }
        }
        if own.is_there { own.finish() } else { everyones.finish() }
    }

    /// Whether `url` may be fetched.
    pub fn allows(&self, url: &CanonicalUrl) -> bool {
        self.rule(url).is_none_or(|rule| rule.is_allow)
    }

    /// The rule that decides about `url`; where there is none, it is allowed.
    pub fn rule(&self, url: &CanonicalUrl) -> Option<&Rule> {
        self.rule_for_path(url.as_str().strip_prefix(url.origin()).unwrap_or_default())
    }

    /// The crawl-delay asked for, however long; 0 where there is none.
    pub fn crawl_delay_ms(&self) -> i64 {
        self.crawl_delay_ms
    }

    /// A robots.txt that says the same to every crawler, and notes where each rule stood in the file.
    pub fn to_text(&self) -> String {
        let mut text = "user-agent: *\n".to_owned();
        if self.crawl_delay_ms > 0 {
            text +=
                &format!("crawl-delay: {}.{:03}\n", self.crawl_delay_ms / 1000, self.crawl_delay_ms % 1000);
        }
        for rule in self.rules.iter().rev() {
            text += if rule.is_allow { "allow: " } else { "disallow: " };
            text += &rule.pattern;
            text += &rule.line.map(|line| format!(" #{line}")).unwrap_or_default();
            text.push('\n');
        }
        text
    }

    /// The rule for a path with its query.
    pub(super) fn rule_for_path(&self, path: &str) -> Option<&Rule> {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        // Section 2.2.2: the file itself is always allowed.
        if path == "/robots.txt" {
            return None;
        }
        let path = normal(path.as_bytes(), false);
        self.rules.iter().find(|rule| matches(path.as_bytes(), rule.pattern.as_bytes()))
    }
}

/// What one or more groups say together.
#[derive(Default)]
struct Group {
    is_there: bool,
    rules: Vec<Rule>,
    crawl_delay_ms: i64,
}

impl Group {
    fn take(&mut self, key: Key, value: &[u8], line: Option<u32>) {
        match key {
            Key::Delay => self.crawl_delay_ms = self.crawl_delay_ms.max(delay_ms(value)),
            // A rule without a path matches nothing that matters.
            _ if value.is_empty() => {}
            _ => {
                let is_allow = matches!(key, Key::Allow);
                let pattern = normal(value, true);
                if is_allow && let Some(folder) = folder_of_index(&pattern) {
                    self.rules.push(Rule { is_allow, pattern: format!("{folder}$"), line });
                }
                self.rules.push(Rule { is_allow, pattern, line });
            }
        }
    }

    /// Section 2.2.2: the longest match counts, and of two alike the one that allows.
    fn finish(self) -> Robots {
        let Self { mut rules, crawl_delay_ms, .. } = self;
        rules.sort_unstable_by(|a, b| {
            let order = b.pattern.len().cmp(&a.pattern.len()).then(b.is_allow.cmp(&a.is_allow));
            order.then_with(|| a.pattern.cmp(&b.pattern)).then(a.line.cmp(&b.line))
        });
        rules.dedup_by(|a, b| a.is_allow == b.is_allow && a.pattern == b.pattern);
        Robots { rules, crawl_delay_ms }
    }
}

#[derive(Clone, Copy)]
enum Key {
    Agent,
    Allow,
    Disallow,
    Delay,
    Other,
}

impl Key {
    /// Section 2.2.4 lets crawlers accept misspellings: these are the ones Google's parser does.
    fn of(name: &[u8]) -> Self {
        let is = |spellings: &[&str]| {
            let begins = |s: &str| name.get(..s.len()).is_some_and(|n| n.eq_ignore_ascii_case(s.as_bytes()));
            spellings.iter().any(|s| begins(s))
        };
        if is(&["user-agent", "useragent", "user agent"]) {
            Self::Agent
        } else if is(&["allow"]) {
            Self::Allow
        } else if is(&["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"]) {
            Self::Disallow
        } else if is(&["crawl-delay", "crawldelay", "crawl delay"]) {
            Self::Delay
        } else {
            Self::Other
        }
    }
}

/// What is read of the file: no byte order mark (nor the start of one), and no line that was cut at the end.
fn whole_lines(text: &[u8]) -> &[u8] {
    let read = match text.get(..MAX_ROBOTS_BYTES) {
        Some(start) if !matches!(text.get(MAX_ROBOTS_BYTES), None | Some(b'\n' | b'\r')) => {
            let end = start.iter().rposition(|b| matches!(b, b'\n' | b'\r')).unwrap_or_default();
            start.get(..end).unwrap_or_default()
        }
        Some(start) => start,
        None => text,
    };
    let mark = read.iter().zip(b"\xef\xbb\xbf").take_while(|(a, b)| a == b).count();
    read.get(mark..).unwrap_or_default()
}

/// The lines with their numbers, from 1. They end in LF, CR, or both.
fn numbered(text: &[u8]) -> impl Iterator<Item = (Option<u32>, &[u8])> {
    let mut number = 0_u32;
    text.split_inclusive(|b| matches!(b, b'\n' | b'\r')).scan(b'\n', move |before, line| {
        // What is left of CR LF is no line of its own.
        number = number.saturating_add(u32::from(!(*before == b'\r' && line == b"\n")));
        *before = line.last().copied().unwrap_or_default();
        Some((Some(number), line))
    })
}

/// The line that is noted behind a rule.
fn noted(line: &[u8]) -> Option<u32> {
    std::str::from_utf8(line.split(|b| *b == b'#').nth(1)?).ok()?.trim().parse().ok()
}

/// The key and value of a line. Google's parser takes white space for a forgotten colon.
fn record(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.get(..MAX_LINE_BYTES).unwrap_or(line);
    let line = line.split(|b| *b == b'#').next()?.trim_ascii();
    let (name, value) = match line.iter().position(|b| *b == b':') {
        Some(colon) => (line.get(..colon)?, line.get(colon + 1..)?),
        None => {
            let space = line.iter().rposition(|b| matches!(b, b' ' | b'\t'))?;
            let name = line.get(..space)?.trim_ascii();
            let is_one_word = !name.iter().any(u8::is_ascii_whitespace);
            (name, line.get(space..).filter(|_| is_one_word || name.eq_ignore_ascii_case(b"user agent"))?)
        }
    };
    Some((Key::of(name.trim_ascii()), value.trim_ascii()))
}

/// Whether a `User-agent` value, cut to its product token as Google's parser does, is ours: `Foo Bar` and `Foo/1.0`
/// are Foo (section 2.2.1 allows nothing else there, and sites write it).
fn names(value: &[u8], token: &str) -> bool {
    let end = value.iter().position(|b| !is_token_byte(*b)).unwrap_or(value.len());
    !token.is_empty() && value.get(..end).is_some_and(|v| v.eq_ignore_ascii_case(token.as_bytes()))
}

/// The seconds at the start of a text, as milliseconds.
fn delay_ms(value: &[u8]) -> i64 {
    let end = value.iter().position(|b| !b.is_ascii_digit() && *b != b'.').unwrap_or(value.len());
    let number = value.get(..end).and_then(|n| std::str::from_utf8(n).ok()?.parse::<f64>().ok());
    number.map_or(0, |seconds| (seconds * 1000.0).round() as i64)
}

/// Google's parser takes an allowed index page for its folder, too.
fn folder_of_index(pattern: &str) -> Option<&str> {
    let pattern = pattern.strip_suffix('$').unwrap_or(pattern);
    let folder = pattern.strip_suffix("index.html").or_else(|| pattern.strip_suffix("index.htm"))?;
    folder.ends_with('/').then_some(folder)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn crawl_delay_is_read_however_long() {
        let delay = |text: &str| Robots::parse(text.as_bytes(), "wireroom").crawl_delay_ms();
        assert_eq!(delay("User-agent: *\nCrawl-delay: 2.5"), 2_500);
        assert_eq!(delay("User-agent: *\nCrawl-delay: 604800"), 604_800_000);
        assert_eq!(delay("User-agent: *\nCrawl-delay: 10 seconds"), 10_000);
        assert_eq!(delay("User-agent: *\nCrawl-delay: -1"), 0);
        assert_eq!(delay("User-agent: *\nCrawl-delay: NaN"), 0);
        assert_eq!(delay("User-agent: x\nCrawl-delay: 9"), 0);
        assert_eq!(delay("User-agent: *\nCrawl-delay: 9\nUser-agent: wireroom\nAllow: /"), 0);
        assert_eq!(delay("User-agent: *\nCrawl-delay: 1\nDisallow: /x\nCrawl-delay: 3"), 3_000);
        assert_eq!(delay("User-agent: wireroom\nCrawl-delay: 4\nUser-agent: x\nDisallow: /"), 4_000);
        assert_eq!(delay(&format!("User-agent: *\nCrawl-delay: {}", "9".repeat(400))), i64::MAX);
    }

    #[test]
    fn only_our_own_rules_are_kept() {
        let others = "user-agent: other\n".to_owned() + &"disallow: /x\nallow: /y\n".repeat(20_000);
        let text =
            format!("{others}user-agent: wireroom\ndisallow: /a/*.pdf$\nallow: /%c3%bc\ncrawl-delay: 2\n");
        let robots = Robots::parse(text.as_bytes(), "wireroom");
        let small = "user-agent: *\ncrawl-delay: 2.000\nallow: /%C3%BC #40004\ndisallow: /a/*.pdf$ #40003\n";
        assert_eq!(robots.to_text(), small);
    }

    #[test]
    fn the_rule_that_decides_is_named() {
        let text = b"# For all\r\n\r\nuser-agent: *\rdisallow: /a # 9\nallow: /a/b\n\nallow: /a/b";
        let robots = Robots::parse(text, "wireroom");
        let rule = |path: &str| {
            let url = CanonicalUrl::parse(&format!("https://harbour.example{path}")).unwrap();
            robots.rule(&url).map(|rule| (rule.is_allow, rule.pattern.clone(), rule.line))
        };
        assert_eq!(rule("/a"), Some((false, "/a".to_owned(), Some(4))));
        assert_eq!(rule("/a/b"), Some((true, "/a/b".to_owned(), Some(5))));
        assert_eq!(rule("/c"), None);
    }

    /// A budget of steps cannot be counted from outside; quadratic or worse would take minutes here.
    #[test]
    fn hostile_rules_cost_no_more_than_others() {
        let path = format!("/{}", "a".repeat(4000));
        for rule in [
            format!("disallow: /{}b", "*a".repeat(8000)),
            format!("disallow: /*{}b", "a".repeat(2000)),
            "disallow: *a*a*a*a*b$".to_owned(),
        ] {
            let text =
                format!("user-agent: *\n{}", format!("{rule}\n").repeat(MAX_ROBOTS_BYTES / rule.len()));
            let mut robots = Robots::parse(text.as_bytes(), "wireroom");
            let rule = robots.rules.first().cloned().unwrap();
            robots.rules.resize(MAX_ROBOTS_BYTES / rule.pattern.len(), rule);
            assert_eq!(robots.rule_for_path(&path), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..500), path in "/[ -~]{0,40}") {
            let robots = Robots::parse(&text, "wireroom");
            robots.rule_for_path(&path);
            robots.crawl_delay_ms();
        }

        #[test]
        fn the_small_text_says_the_same(lines in proptest::collection::vec(
            "(user-agent: (wireroom|x|\\*)|(dis)?allow: [/a-c*$%2.é?:]{0,8}(index\\.html)?|crawl-delay: [0-9.]{1,4})", 0..20,
        )) {
            let robots = Robots::parse(lines.join("\n").as_bytes(), "wireroom");
            prop_assert_eq!(&Robots::parse_kept(robots.to_text().as_bytes(), "wireroom"), &robots);
        }
    }
}
