//! What a robots.txt says of an address, as a table: every case of matching that RFC 9309 and Google's open tests of
//! its parser know, each with the section of the RFC, or `Google` where what Google documents goes beyond it.

use super::Robots;

/// A robots.txt, and whether each agent may fetch each path.
struct Case {
    clause: &'static str,
    text: &'static str,
    /// `agent path`, allowed.
    asked: &'static [(&'static str, bool)],
}

const fn case(clause: &'static str, text: &'static str, asked: &'static [(&'static str, bool)]) -> Case {
    Case { clause, text, asked }
}

const GULL_ONLY: &str = "user-agent: Gull\ndisallow: /\n";
const GROUPS: &str = "allow: /pier/old/\n\nuser-agent: Gull\ndisallow: /\nallow: /tide/\nuser-agent: Tern\n\
    disallow: /\nallow: /quay/\n\n\nallow: /dock/\nuser-agent: Skua\n\nuser-agent: Gull\nallow: /mole/\ndisallow: /\n";
const INDEX: &str = "user-agent: *\nallow: /log/index.html\ndisallow: /\n";
const HERRING: &str = "user-agent: Gull\ndisallow: /\nallow: /herring\n";
const HERRING_STAR: &str = "user-agent: Gull\ndisallow: /\nallow: /herring*\n";
const HERRING_SLASH: &str = "user-agent: Gull\ndisallow: /\nallow: /herring/\n";
const ASP: &str = "user-agent: Gull\ndisallow: /\nallow: /*.asp\n";
const ASP_END: &str = "user-agent: Gull\ndisallow: /\nallow: /*.asp$\n";
const HERRING_ASP: &str = "user-agent: Gull\ndisallow: /\nallow: /herring*.asp\n";

#[rustfmt::skip]
const LINES: &[Case] = &[
    // No rules, no agent of ours, no path.
    case("2.2.1", "", &[("Gull ", true), ("Gull /x", true), (" ", true)]),
    case("2.2.1", GULL_ONLY, &[("Gull ", false), ("Gull /x", false), ("Tern /x", true), (" /x", true)]),
    case("2.2", "<!doctype html><title>Not found</title>", &[("Gull /x", true)]),
    // Lines.
    case("2.2", "agent: Gull\nforbid: /\n", &[("Gull /x", true)]),
    case("Google", "user-agent Gull\ndisallow /\n", &[("Gull /x", false)]),
    case("Google", "user agent Gull\ndisallow\t/\n", &[("Gull /x", false)]),
    case("Google", "user-agent: Gull\ndisallow / x\n", &[("Gull /x", true)]),
    case("2.2", "  user-agent \t:\tGull  \n\tdisallow :/x \n", &[("Gull /x", false), ("Gull /y", true)]),
    case("2.2", "USER-AGENT: Gull\nALLOW: /tide/\nDISALLOW: /\n", &[("Gull /tide/a", true), ("Gull /a", false)]),
    case("2.2", "user-agent: Gull\nallow: /tide/\ndisallow: /\n", &[("Gull /tide/a", true), ("Gull /a", false)]),
    case("2.2", "uSeR-aGeNt: Gull\naLLoW: /tide/\ndIsAlLoW: /\n", &[("Gull /tide/a", true), ("Gull /a", false)]),
    case("2.2", "user-agent: Gull\r\ndisallow: /x\r\n\r\n", &[("Gull /x", false), ("Gull /y", true)]),
    case("2.2", "user-agent: Gull\rdisallow: /x\r\rallow: /x/a\r", &[("Gull /x", false), ("Gull /x/a", true)]),
    case("2.2", "user-agent: Gull\n\r\n\ndisallow: /x", &[("Gull /x", false), ("Gull /y", true)]),
    case("Google", "useragent: Gull\ndissallow: /a\ndissalow: /b\ndisalow: /c\ndiasllow: /d\ndisallaw: /e\n", &[
        ("Gull /a", false), ("Gull /b", false), ("Gull /c", false), ("Gull /d", false), ("Gull /e", false),
        ("Gull /f", true),
    ]),
    case("Google", "\u{feff}user-agent: Gull\ndisallow: /x", &[("Gull /x", false), ("Gull /y", true)]),
    case("2.2", "\u{feff}\u{feff}user-agent: Gull\ndisallow: /x", &[("Gull /x", true)]),
    case("2.2", "user-agent: Gull\n\u{feff}disallow: /x\ndisallow: /y", &[("Gull /x", true), ("Gull /y", false)]),
    // Other records.
    case("2.2.4", "user-agent: Gull\nsitemap: https://a.example/s.xml\nuser-agent: Tern\ndisallow: /x\n", &[
        ("Gull /x", false), ("Tern /x", false), ("Gull /y", true),
    ]),
    case("2.2.4", "user-agent: Gull\nharvest: no\ndisallow: /x\nsitemap: /s.xml\ndisallow: /y", &[
        ("Gull /x", false), ("Gull /y", false), ("Gull /z", true),
    ]),
];

#[rustfmt::skip]
const AGENTS: &[Case] = &[
    case("2.1", GROUPS, &[
        ("Gull /tide/b", true), ("Gull /mole/d", true), ("Gull /quay/c", false), ("Tern /quay/c", true),
        ("Tern /dock/a", true), ("Tern /mole/d", false), ("Skua /mole/d", true),
    ]),
    case("2.2.2", GROUPS, &[("Gull /pier/old/", false), ("Tern /pier/old/", false), ("Skua /pier/old/", false)]),
    case("2.2.1", "user-agent: GULL\nallow: /tide/\ndisallow: /", &[
        ("Gull /tide/a", true), ("Gull /a", false), ("gull /tide/a", true), ("gull /a", false),
    ]),
    case("Google", "user-agent: GULL NINE\nallow: /tide/\ndisallow: /", &[
        ("Gull /tide/a", true), ("Gull /a", false), ("gull /tide/a", true), ("gull /a", false),
    ]),
    case("Google", "user-agent: gull nine\nallow: /tide/\ndisallow: /", &[
        ("Gull /tide/a", true), ("Gull /a", false), ("gull /tide/a", true), ("gull /a", false),
    ]),
    case("Google", "user-agent: gUlL nInE\nallow: /tide/\ndisallow: /", &[
        ("Gull /tide/a", true), ("Gull /a", false), ("gull /tide/a", true), ("gull /a", false),
    ]),
    case("Google", "user-agent: *\ndisallow: /\nuser-agent: Gull Nine\nallow: /tide/\ndisallow: /", &[
        ("Gull /tide/a", true), ("GullNine /tide/a", false),
    ]),
    case("Google", "user-agent: Gull/2.1 (reader)\ndisallow: /", &[("Gull /x", false), ("Tern /x", true)]),
    case("2.2.1", "user-agent: Gull-News\nuser-agent: Gull_Pics\ndisallow: /", &[
        ("Gull-News /x", false), ("Gull_Pics /x", false), ("Gull /x", true),
    ]),
    case("2.2.1", "user-agent: Gullible\ndisallow: /", &[("Gull /x", true)]),
    case("2.2.1", "user-agent: /\ndisallow: /", &[(" /x", true), ("Gull /x", true)]),
    case("2.2.1", "user-agent: *\nallow: /\nuser-agent: Gull\ndisallow: /", &[
        ("Gull /x", false), ("Tern /x", true),
    ]),
    case("2.2.1", "user-agent: Gull\nallow: /\nuser-agent: Tern\ndisallow: /\nuser-agent: Skua\ndisallow: /", &[
        ("Puffin /x", true), ("Gull /x", true), ("Tern /x", false), ("Skua /x", false),
    ]),
    case("2.2.1", "user-agent: *\ndisallow: /tide/\nuser-agent: Gull\ndisallow: /quay/", &[
        ("Gull /tide/a", true), ("Gull /quay/a", false), ("Tern /tide/a", false), ("Tern /quay/a", true),
    ]),
    case("2.2.1", "user-agent: *\ndisallow: /\nuser-agent: Gull\n", &[("Gull /x", true), ("Tern /x", false)]),
    case("2.2.1", "user-agent: *\ndisallow: /\nuser-agent: Gull\ndisallow:\n", &[("Gull /x", true)]),
    case("2.2.1", "user-agent: *\ndisallow: /a\nuser-agent: Tern\ndisallow: /\nuser-agent: *\ndisallow: /b", &[
        ("Gull /a", false), ("Gull /b", false), ("Gull /c", true),
    ]),
    case("2.2.1", "user-agent: Tern\nuser-agent: *\ndisallow: /a", &[("Gull /a", false), ("Tern /a", false)]),
    case("Google", "user-agent: * (all of you)\ndisallow: /", &[("Gull /x", false)]),
    case("2.2.3", "user-agent: * # all of you\ndisallow: /", &[("Gull /x", false)]),
    case("2.2.1", "user-agent: *bot\ndisallow: /", &[("Gull /x", true), ("bot /x", true)]),
];

#[rustfmt::skip]
const PATHS: &[Case] = &[
    case("2.2.2", "user-agent: Gull\ndisallow: /x/", &[("Gull /x/y", false)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /X/", &[("Gull /x/y", true)]),
    case("2.2.2", "user-agent: *\ndisallow: /", &[("Gull /robots.txt", true), ("Gull /robots.txt.bak", false)]),
    case("2.2.2", "user-agent: *\ndisallow: x\ndisallow: tide/", &[("Gull /x", true), ("Gull /tide/", true)]),
    // The longest match counts.
    case("2.2.2", "user-agent: Gull\ndisallow: /x/a.html\nallow: /x/", &[("Gull /x/a.html", false)]),
    case("2.2.2", "user-agent: Gull\nallow: /x/a.html\ndisallow: /x/", &[
        ("Gull /x/a.html", true), ("Gull /x/", false),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: \nallow: ", &[("Gull /x/a.html", true)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /\nallow: /", &[("Gull /x/a.html", true)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /x\nallow: /x/", &[("Gull /x", false), ("Gull /x/", true)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /x/a.html\nallow: /x/a.html", &[("Gull /x/a.html", true)]),
    case("2.2.2", "user-agent: Gull\nallow: /a\ndisallow: /*.html", &[("Gull /a.html", false), ("Gull /a", true)]),
    case("2.2.2", "user-agent: Gull\nallow: /x/tide.\ndisallow: /*.html", &[
        ("Gull /x/tide.html", true), ("Gull /x/y.html", false),
    ]),
    case("Google", "user-agent: Gull\nallow: /p\ndisallow: /", &[("Gull /pier", true)]),
    case("Google", "user-agent: Gull\nallow: /pier\ndisallow: /pier", &[("Gull /pier/a", true)]),
    case("Google", "user-agent: Gull\nallow: /pier\ndisallow: /*.htm", &[("Gull /pier.htm", false)]),
    case("Google", "user-agent: Gull\nallow: /$\ndisallow: /", &[("Gull /", true), ("Gull /a.html", false)]),
    // Percent-encoding.
    case("2.2.2", "user-agent: Gull\ndisallow: /\nallow: /to?a=b&c=https://d.example?e&f", &[
        ("Gull /to?a=b&c=https://d.example?e&f", true), ("Gull /to?a=b", false),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /to?u=https://d.example", &[
        ("Gull /to?u=https%3A%2F%2Fd.example", false),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /to?u=https%3a%2f%2fd.example", &[
        ("Gull /to?u=https://d.example", false),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /\nallow: /sea/é", &[
        ("Gull /sea/%C3%A9", true), ("Gull /sea/%c3%a9", true),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /\nallow: /sea/%C3%A9", &[
        ("Gull /sea/%C3%A9", true), ("Gull /sea/é", true),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /sea/%e3%83%84", &[
        ("Gull /sea/%E3%83%84", false), ("Gull /sea/ツ", false),
    ]),
    // Google compares as written here; the standard's own table does not.
    case("2.2.2", "user-agent: Gull\ndisallow: /\nallow: /%74%69de", &[
        ("Gull /tide", true), ("Gull /%74%69%64%65", true),
    ]),
    case("2.2.2", "user-agent: Gull\ndisallow: /%7Eann", &[("Gull /~ann", false), ("Gull /%7eann", false)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /a%2Fb", &[("Gull /a/b", true), ("Gull /a%2fb", false)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /a{b}", &[("Gull /a%7Bb%7D", false)]),
    case("2.2.2", "user-agent: Gull\ndisallow: /100%", &[("Gull /100%", false), ("Gull /100%25", false)]),
    // Special characters.
    case("2.2.3", "user-agent: Gull\ndisallow: /x/pier/a\nallow: /x/*/b", &[
        ("Gull /x/pier/a", false), ("Gull /x/a", true), ("Gull /x//a", true), ("Gull /x/other/a", true),
    ]),
    case("2.2.3", "user-agent: Gull\ndisallow: /\nallow: /x/*/b", &[
        ("Gull /x/y/b", true), ("Gull /x//b/c", true), ("Gull /x/b", false),
    ]),
    case("2.2.3", "user-agent: Gull\ndisallow: /x/pier$\nallow: /x/pier/a", &[
        ("Gull /x/pier", false), ("Gull /x/pier/a", true), ("Gull /x/pier/", true), ("Gull /x/pier/b", true),
    ]),
    case("2.2.3", "user-agent: Gull\n# disallow: /\ndisallow: /x/a#b\nallow: /", &[
        ("Gull /x/pier", true), ("Gull /x/a", false),
    ]),
    case("2.2.3", "user-agent: Gull\ndisallow: /a$b", &[("Gull /a$b", false), ("Gull /a", true)]),
    case("2.2.3", "user-agent: Gull\ndisallow: /a-%2A.html\ndisallow: /b-%24", &[
        ("Gull /a-*.html", false), ("Gull /a-x.html", true), ("Gull /b-$", false), ("Gull /b-", true),
    ]),
    case("2.2.3", "user-agent: Gull\ndisallow: *\nallow: /a", &[("Gull /a", true), ("Gull /b", false)]),
    case("2.2.3", "user-agent: Gull\ndisallow: *.pdf$", &[("Gull /a.pdf", false), ("Gull /a.pdf.html", true)]),
    case("2.2.3", "user-agent: Gull\ndisallow: /a**b*$", &[("Gull /a-b-c", false), ("Gull /a-c", true)]),
    case("2.2.3", "user-agent: Gull\ndisallow: /*ab$", &[("Gull /ab-ab", false), ("Gull /ab-a", true)]),
];

#[rustfmt::skip]
const GOOGLE: &[Case] = &[
    case("Google", INDEX, &[
        ("Gull /log/", true), ("Gull /log/index.htm", false), ("Gull /log/index.html", true),
        ("Gull /elsewhere", false), ("Gull /log/x", false),
    ]),
    case("Google", HERRING, &[
        ("Gull /bream", false), ("Gull /herring", true), ("Gull /herring.html", true),
        ("Gull /herring/smoked.html", true), ("Gull /herringbone", true), ("Gull /herringbone/cloth.html", true),
        ("Gull /herring.html?id=any", true), ("Gull /Herring.asp", false), ("Gull /redherring", false),
        ("Gull /?id=herring", false),
    ]),
    case("Google", HERRING_STAR, &[
        ("Gull /bream", false), ("Gull /herring", true), ("Gull /herring.html", true),
        ("Gull /herring/smoked.html", true), ("Gull /herringbone", true), ("Gull /herringbone/cloth.html", true),
        ("Gull /herring.html?id=any", true), ("Gull /Herring.asp", false), ("Gull /redherring", false),
        ("Gull /?id=herring", false),
    ]),
    case("Google", HERRING_SLASH, &[
        ("Gull /bream", false), ("Gull /herring/", true), ("Gull /herring/smoked", true),
        ("Gull /herring/?smoked", true), ("Gull /herring/smoked.html", true), ("Gull /herring/?id=any", true),
        ("Gull /herring", false), ("Gull /herring.html", false), ("Gull /Herring/Smoked.html", false),
    ]),
    case("Google", ASP, &[
        ("Gull /bream", false), ("Gull /file.asp", true), ("Gull /pier/file.asp", true),
        ("Gull /pier/file.asp?any", true), ("Gull //pier/any.asp.file.html", true), ("Gull /file.asp/", true),
        ("Gull /index?f=file.asp/", true), ("Gull /asp/", false), ("Gull /index?asp", false),
        ("Gull /PIER.ASP", false),
    ]),
    case("Google", ASP_END, &[
        ("Gull /bream", false), ("Gull /file.asp", true), ("Gull /pier/file.asp", true),
        ("Gull /file.asp?any", false), ("Gull /file.asp/", false), ("Gull /file.asp5", false),
        ("Gull /asp/", false), ("Gull /file?asp", false), ("Gull /bbbaspbbb", false), ("Gull //pier.ASP", false),
    ]),
    case("Google", HERRING_ASP, &[
        ("Gull /bream", false), ("Gull /herring.asp", true), ("Gull /herringbone/red.asp?any", true),
        ("Gull /Herring.ASP", false),
    ]),
];

fn allows(text: &[u8], agent: &str, path: &str) -> bool {
    Robots::parse(text, agent).rule_for_path(path).is_none_or(|rule| rule.is_allow)
}

#[test]
fn rules_are_matched_as_the_standard_and_google_say() {
    let mut asked = 0;
    for Case { clause, text, asked: questions } in [LINES, AGENTS, PATHS, GOOGLE].into_iter().flatten() {
        for (question, allowed) in *questions {
            let (agent, path) = question.split_once(' ').unwrap();
            assert_eq!(
                allows(text.as_bytes(), agent, path),
                *allowed,
                "{clause}: {agent} asks for {path} under\n{text}"
            );
            asked += 1;
        }
    }
    assert!(asked >= 142, "{asked} questions");
}

/// Google: part of a byte order mark is passed over; another first line is garbage, and only that line.
#[test]
fn torn_byte_order_marks() {
    for (mark, is_read) in
        [("\u{feff}".as_bytes(), true), (b"\xef\xbb", true), (b"\xef", true), (b"\xef\x11\xbf", false)]
    {
        let text = [mark, b"user-agent: Gull\ndisallow: /x"].concat();
        assert_eq!(allows(&text, "Gull", "/x"), !is_read, "{mark:x?}");
    }
}

/// Google: what follows the first 16,663 bytes of a line is ignored, and the rule is what stands before.
#[test]
fn long_lines_are_cut() {
    let long = |letter: &str, key: &str| format!("/x/{}", letter.repeat(8 * 2083 - 1 - key.len() - 3));
    let (a, b) = (long("a", "disallow: "), long("b", "allow: "));
    let text = format!("user-agent: Gull\ndisallow: {a}/tide\n");
    assert!(allows(text.as_bytes(), "Gull", "/other"));
    assert!(!allows(text.as_bytes(), "Gull", &format!("{a}/other")));
    let text = format!("user-agent: Gull\ndisallow: /\nallow: {b}/tide\n");
    assert!(!allows(text.as_bytes(), "Gull", "/"));
    assert!(allows(text.as_bytes(), "Gull", &format!("{b}/tide")));
    assert!(allows(text.as_bytes(), "Gull", &format!("{b}/other")));
}

/// Section 2.5: 500 KiB are read, and of these no line that the limit cuts.
#[test]
fn what_follows_500_kib_is_ignored() {
    let padding =
        |bytes: usize| format!("user-agent: *\n{}\n", "#".repeat(super::MAX_ROBOTS_BYTES - bytes - 15));
    for (text, allowed) in [
        (padding(14) + "disallow: /pie\n", false),
        (padding(14) + "disallow: /pie", false),
        (padding(14) + "disallow: /pier", true),
        (padding(14) + "disallow: /pie\ndisallow: /tide", false),
        (padding(0) + "disallow: /pie", true),
    ] {
        assert_eq!(allows(text.as_bytes(), "Gull", "/pie"), allowed, "{:?}", text.get(text.len() - 30..));
        assert!(allows(text.as_bytes(), "Gull", "/tide"));
    }
}
