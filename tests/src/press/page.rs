//! A page of the press, and its HTML in the template of its outlet.

/// A news article, with what a right extraction of its page gives.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it stands.
    pub url: String,
    /// As the page says it.
    pub headline: String,
    /// People, or the agency.
    pub authors: Vec<String>,
    /// RFC 3339, or a date where the page gives no more.
    pub published: String,
    /// The outlet's label for it.
    pub section: String,
    /// Of its picture: not part of the text.
    pub caption: String,
    /// The body.
    pub paragraphs: Vec<String>,
}

/// A publisher: its name, and the template of its pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlet<'a> {
    pub name: &'a str,
    pub template: &'a str,
}

pub(super) const MERIDIAN_WIRE: Outlet<'_> =
    Outlet { name: "Meridian Wire", template: include_str!("../../press/templates/meridian-wire.html") };
pub(super) const HARBOUR_TIMES: Outlet<'_> =
    Outlet { name: "The Harbour Times", template: include_str!("../../press/templates/harbour-times.html") };
pub(super) const NORTHERN_COURIER: Outlet<'_> = Outlet {
    name: "Northern Courier",
    template: include_str!("../../press/templates/northern-courier.html"),
};
pub(super) const PELLWORTH_GAZETTE: Outlet<'_> = Outlet {
    name: "Pellworth Gazette",
    template: include_str!("../../press/templates/pellworth-gazette.html"),
};
pub(super) const TIDEWATCH: Outlet<'_> =
    Outlet { name: "Tidewatch", template: include_str!("../../press/templates/tidewatch.html") };
pub(super) const KUESTENBLATT: Outlet<'_> =
    Outlet { name: "Küstenblatt", template: include_str!("../../press/templates/kuestenblatt.html") };

impl Page {
    /// The body as records carry it: paragraphs joined by a blank line.
    pub fn text(&self) -> String {
        self.paragraphs.join("\n\n")
    }

    /// The host of its URL.
    pub fn host(&self) -> &str {
        self.url.split('/').nth(2).expect("an absolute URL")
    }

    /// The path of its URL.
    pub(super) fn path(&self) -> &str {
        &self.url["http://".len() + self.host().len()..]
    }

    /// Its HTML at an outlet, with links to other pages around it.
    pub(super) fn html(&self, outlet: Outlet<'_>, others: &[Page]) -> String {
        let (opening, rest) = self.paragraphs.split_at(self.paragraphs.len().min(2));
        fill(outlet.template, |key| match key {
            "publisher" => escape(outlet.name),
            "publisher:json" => json(outlet.name),
            "host" => self.host().to_owned(),
            "url" => self.url.clone(),
            "slug" => self.path().trim_matches('/').replace('/', "-"),
            "headline" => escape(&self.headline),
            "headline:json" => json(&self.headline),
            "authors" => escape(&self.authors.join(" and ")),
            "authors:json" => authors_json(&self.authors),
            "section" => escape(&self.section),
            "section:json" => json(&self.section),
            "caption" => escape(&self.caption),
            "published" => self.published.clone(),
            "date" => self.date(),
            "time" => self.published.get(11..16).unwrap_or_default().to_owned(),
            "first" => escape(self.paragraphs.first().map_or("", String::as_str)),
            "opening" => paragraphs(opening),
            "rest" => paragraphs(rest),
            "related" => others.iter().map(|other| format!("<li>{}</li>", link(other))).collect(),
            "teasers" => others.iter().map(teaser).collect(),
            other => panic!("the template of {} asks for {other}", outlet.name),
        })
    }

    /// `12 March 2026`.
    fn date(&self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let mut parts = self.published[..10].split('-').map(|part| part.parse::<usize>().expect("a date"));
        let mut next = || parts.next().expect("year, month and day");
        let (year, month, day) = (next(), next(), next());
        format!("{day} {} {year}", MONTHS[month - 1])
    }
}

/// Replaces each `{{key}}` by its value.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut pieces = template.split("{{");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (key, text) = piece.split_once("}}").expect("a closed placeholder");
        out.push_str(&value(key));
        out.push_str(text);
    }
    out
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn link(page: &Page) -> String {
    format!("<a href=\"{}\">{}</a>", page.url, escape(&page.headline))
}

fn teaser(page: &Page) -> String {
    let first = page.paragraphs.first().map_or("", String::as_str);
    let start: String = first.split_inclusive(' ').take(18).collect();
    format!("<div class=\"teaser\"><h3>{}</h3><p>{} …</p></div>\n", link(page), escape(start.trim_end()))
}

fn paragraphs(texts: &[String]) -> String {
    texts.iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect()
}

fn authors_json(authors: &[String]) -> String {
    let people: Vec<_> =
        authors.iter().map(|name| serde_json::json!({"@type": "Person", "name": name})).collect();
    serde_json::Value::from(people).to_string()
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
