//! Who signs a page: what it declares and what it shows, weighed against each other.
//!
//! The accounts are JSON-LD (the page's own article, references into its graph followed), meta elements, bylines as shown,
//! and what JSON-LD says of the page as such. Each is read for names, and the account with the surest name is believed
//! ([`Standing`]): full names of people before single names and accounts, these before desks, agencies and companies,
//! and all before the site's own name. A byline shown stands where its [`Sureness`] puts it. Between accounts that stand
//! alike the order above decides, unless a later one names the same people and more, or is a byline that opens with "By"
//! and names others: the page then declares whoever posted it. Where nobody signs, [`unsigned`] tells.
//!
//! The policy follows what the truths of article corpora hold, where it can be told from their noise:
//! - An agency, a desk or a company is an author where it signs alone, or where the page lists it as an author of its
//!   own. Behind a person's name (`Ann Able, AFP`) it is not; an agency is then [`Signed::agency`] only.
//! - Roles, degrees, places and employers behind a name are no authors.
//! - The site's name is the author only where the page declares so and names nobody else. A page that names nobody has
//!   no author.

mod authors;
mod bylines;
mod lines;
mod signs;
mod unsigned;

use serde_json::Value;

use self::{
    authors::{MAX_NAMES, Name, Rank, names},
    bylines::{Sureness, bylines},
};
pub(crate) use self::{
    authors::{credits, has_byline_prefix, names_a_person},
    bylines::Shown,
};

use crate::{
    declared::{Declared, text_of, texts_of},
    phrases::is_agency,
    text::{cut, loose},
    title::Site,
};

/// Who signs, each with the source it was taken from.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    pub authors: Option<(Vec<String>, &'static str)>,
    pub byline: Option<(String, &'static str)>,
    pub agency: Option<(String, &'static str)>,
}

/// One source's account: its bylines, and the names in them.
struct Account {
    source: &'static str,
    bylines: Vec<String>,
    names: Vec<Name>,
    agency: Option<String>,
    sureness: Sureness,
}

/// How far an account is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Shown, and neither a person's name nor sure to be a byline.
    Faint,
    Site,
    /// Shown, but not sure to be a byline.
    Doubtful,
    /// A person's own site has their name.
    OwnSite,
    Desk,
    /// Shown, and a person's name.
    Likely,
    Handle,
    Person,
}

impl Account {
    /// Names that JSON-LD says are of organisations are no people's.
    fn without_people(mut self, declared: &Declared) -> Self {
        let works = declared.articles.iter().chain(&declared.works);
        let authors = works.filter_map(|work| work.get("author")).flat_map(|author| match author {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        });
        let organisations: Vec<String> = authors
            .filter(|a| {
                a.get("@type").is_some_and(|t| texts_of(t, 4).iter().any(|t| t.ends_with("Organization")))
            })
            .filter_map(text_of)
            .collect();
        for name in self.names.iter_mut().filter(|name| organisations.contains(&name.text)) {
            name.rank = Rank::Desk;
        }
        self
    }

    /// That of its surest name; none without names.
    fn standing(&self, site: &Site) -> Option<Standing> {
        let of = |name: &Name| match (site.is_exactly(&name.text), name.rank) {
            (true, Rank::Person) => Standing::OwnSite,
            (true, _) => Standing::Site,
            (_, Rank::Person) if self.sureness == Sureness::Likely => Standing::Likely,
            (_, rank) if self.sureness == Sureness::Doubtful && rank < Rank::Person => Standing::Faint,
            _ if self.sureness < Sureness::Sure => Standing::Doubtful,
            (_, Rank::Desk) => Standing::Desk,
            (_, Rank::Handle) => Standing::Handle,
            (_, Rank::Person) => Standing::Person,
        };
        self.names.iter().map(of).max()
    }

    /// Whether it is a byline as sure as can be, `By Ann Able`, of others than an account names: the page declares whoever
    /// posted it, then.
    fn overrules(&self, other: &Self) -> bool {
        let is_signed = self.source == "byline"
            && self.sureness == Sureness::Sure
            && self.bylines.first().is_some_and(|line| has_byline_prefix(line));
        let words = |account: &Self| -> Vec<String> {
            let people = account.names.iter().filter(|name| name.rank == Rank::Person);
            let names: Vec<String> = people.map(|name| loose(&name.text)).collect();
            names.iter().flat_map(|name| name.split(' ')).map(str::to_owned).collect()
        };
        is_signed && {
            let (own, others) = (words(self), words(other));
            !own.is_empty() && !own.iter().any(|word| others.contains(word))
        }
    }
}

const META: &[&str] = &[
    "author",
    "article:author",
    "og:article:author",
    "article:byline",
    "article:author_name",
    "author_name",
    "authors",
    "byl",
    "byline",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "dc.creator.personalname",
    "cxenseparse:author",
    "article_author",
    "articleauthor",
    "article.author",
    "shareaholic:article_author_name",
    "citation_authors",
    "citation_author",
    "creator",
];

/// Authors, byline and agency. `title` tells the page's article from others that its JSON-LD describes.
pub(crate) fn people(declared: &Declared, shown: &Shown, site: &Site, title: &str) -> Signed {
    let mut accounts = accounts(declared, shown, title);
    if accounts.iter().all(|account| account.standing(site).is_none()) {
        let found = unsigned::described(declared).and_then(|byline| account("meta", vec![byline]));
        accounts.extend(found.or_else(|| account("comment", vec![unsigned::commenting(shown.outline)?])));
    }
    let best = accounts
        .iter()
        .filter_map(|account| Some((account.standing(site)?, account)))
        .reduce(|best, next| {
            let wins = next.0 > best.0 || extends(next.1, best.1, site) || next.1.overrules(best.1);
            if wins { next } else { best }
        })
        .map(|(_, account)| account);
    let agency = accounts.iter().find_map(|account| Some((account.agency.clone()?, account.source)));
    let byline = best.into_iter().chain(&accounts).find(|a| a.bylines.iter().any(|b| !b.contains("://")));
    Signed {
        authors: best.map(|account| (chosen(account, site), account.source)),
        byline: byline.map(|a| (cut(&distinct(&a.bylines).join(", "), 300).to_owned(), a.source)),
        agency: agency.or_else(|| source_organisation(declared)),
    }
}

/// A page may show one byline several times.
fn distinct(bylines: &[String]) -> Vec<&str> {
    let lines = bylines.iter().enumerate();
    lines
        .filter(|(at, line)| !bylines.iter().take(*at).any(|known| known == *line))
        .map(|(_, l)| l.as_str())
        .collect()
}

/// The people that meta and JSON-LD name, before the page's text is known.
pub(crate) fn declared_people(declared: &Declared) -> Vec<String> {
    let json = declared.articles.iter().filter_map(|a| a.get("author")).flat_map(|v| texts_of(v, MAX_NAMES));
    let meta = ["author", "parsely-author", "sailthru.author", "byl"];
    let meta = meta.iter().flat_map(|key| declared.all_meta(key)).map(str::to_owned);
    let all: Vec<String> = json.chain(meta).collect();
    credits(all.iter().map(String::as_str)).names
}

fn accounts(declared: &Declared, shown: &Shown, title: &str) -> Vec<Account> {
    let mut found = Vec::new();
    found.extend(account("json-ld", article_authors(declared, title)).map(|a| a.without_people(declared)));
    for key in META {
        let values: Vec<String> = declared.all_meta(key).map(str::to_owned).take(MAX_NAMES + 1).collect();
        if values.len() <= MAX_NAMES {
            found.extend(account("meta", values));
        }
    }
    found.extend(account("meta", labelled(declared).into_iter().collect()));
    let (lines, sureness) = bylines(shown, title);
    found.extend(account("byline", lines).map(|account| Account { sureness, ..account }));
    found.extend(account("json-ld", page_authors(declared)).map(|a| a.without_people(declared)));
    found
}

fn account(source: &'static str, bylines: Vec<String>) -> Option<Account> {
    let mut found: Vec<Name> = Vec::new();
    let mut agency = None;
    for byline in &bylines {
        let mut names = names(byline);
        agency = agency.or_else(|| names.iter().find(|name| name.is_agency).map(|name| name.text.clone()));
        // An agency or employer behind a person's name does not sign.
        if names.iter().any(|name| name.rank == Rank::Person) {
            names.retain(|name| name.rank == Rank::Person);
        }
        let known =
            |name: &Name, found: &[Name]| found.iter().any(|other| loose(&other.text) == loose(&name.text));
        for name in names {
            if found.len() < MAX_NAMES && !known(&name, &found) {
                found.push(name);
            }
        }
    }
    let is_given = bylines.iter().any(|byline| !byline.is_empty());
    is_given.then_some(Account { source, bylines, names: found, agency, sureness: Sureness::Sure })
}

/// The names to list: never the site's beside others, nor an address beside people.
fn chosen(account: &Account, site: &Site) -> Vec<String> {
    let is_site = |name: &Name| site.is_exactly(&name.text);
    let only_site = account.names.iter().all(is_site);
    let has_person = account.names.iter().any(|name| name.rank == Rank::Person);
    let kept = account.names.iter().filter(|name| {
        let is_address = name.rank < Rank::Person && name.text.contains('.');
        (only_site || !is_site(name)) && !(has_person && is_address)
    });
    kept.map(|name| name.text.clone()).collect()
}

/// Whether an account names the people of another and more, or more of their names.
fn extends(longer: &Account, shorter: &Account, site: &Site) -> bool {
    let people = |account: &Account| -> Vec<String> {
        let people = account.names.iter().filter(|n| n.rank >= Rank::Handle && !site.is_exactly(&n.text));
        people.map(|n| loose(&n.text)).collect()
    };
    let (longer, shorter) = (people(longer), people(shorter));
    let within = |name: &String| {
        longer.iter().any(|other| {
            let mut words = other.split(' ');
            name.split(' ').all(|word| words.any(|w| w == word))
        })
    };
    !shorter.is_empty() && shorter.iter().all(within) && longer != shorter && longer.len() >= shorter.len()
}

/// The authors of the page's article: of the node with the headline shown, else the title's, else of the first.
fn article_authors(declared: &Declared, title: &str) -> Vec<String> {
    let title = loose(title);
    let headings: Vec<String> = declared.headings.iter().map(|(_, text)| loose(text)).collect();
    let strangeness = |work: &&Value| {
        let headline = work.get("headline").and_then(text_of).map(|h| loose(&h)).unwrap_or_default();
        if headline.is_empty() {
            return 2;
        }
        if headings.contains(&headline) { 0 } else { 1 + u8::from(headline != title) }
    };
    let mut works: Vec<&Value> = declared.articles.iter().collect();
    works.sort_by_cached_key(strangeness);
    let others = declared.works.iter().filter(|work| !is_page(work));
    authors_of(works.into_iter().chain(others), declared)
}

/// The authors of the page as such, whom a publishing system takes from its accounts.
fn page_authors(declared: &Declared) -> Vec<String> {
    authors_of(declared.works.iter().filter(|work| is_page(work)), declared)
}

fn is_page(work: &Value) -> bool {
    work.get("@type").is_some_and(|types| texts_of(types, 8).iter().any(|t| t.ends_with("Page")))
}

fn authors_of<'v>(mut works: impl Iterator<Item = &'v Value>, declared: &Declared) -> Vec<String> {
    let found = works.find_map(|work| {
        let mut authors = ["author", "creator"].iter().filter_map(|key| work.get(key));
        authors.find_map(|value| Some(author_names(value, declared)).filter(|found| !found.is_empty()))
    });
    found.unwrap_or_default()
}

fn author_names(value: &Value, declared: &Declared) -> Vec<String> {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let named = |id: &str| declared.named.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone());
    let name_of = |author: &Value| {
        let own = author.get("name").map(|name| texts_of(name, MAX_NAMES)).filter(|found| !found.is_empty());
        let by_id =
            || author.get("@id").or(Some(author)).and_then(Value::as_str).and_then(named).map(|n| vec![n]);
        own.or_else(by_id).or_else(|| author.as_str().and_then(|_| text_of(author)).map(|n| vec![n]))
    };
    list.iter().filter_map(name_of).flatten().filter(|name| !name.is_empty()).take(MAX_NAMES).collect()
}

/// The value that `twitter:label1`, or another of its kind, says is the author.
fn labelled(declared: &Declared) -> Option<String> {
    (1..=3).find_map(|n| {
        let label = declared.meta(&[&format!("twitter:label{n}")])?;
        let rest = authors::strip_prefix(label);
        let is_author = rest.is_empty() && !label.is_empty();
        let value = declared.meta(&[&format!("twitter:data{n}")])?;
        is_author.then(|| value.to_owned())
    })
}

fn source_organisation(declared: &Declared) -> Option<(String, &'static str)> {
    let named = declared.articles.iter().find_map(|a| a.get("sourceOrganization").and_then(text_of));
    named.filter(|name| is_agency(name)).map(|name| (name, "json-ld"))
}

#[cfg(test)]
mod tests {
    use crate::{Extraction, Page, extract_html};

    const STORY: &str = "<p>The ferry across the bay sails again from Monday, the council said on Friday, \
        after eleven weeks in which its passengers took the bus.</p><p>Repairs to the slipway cost twice what had \
        been planned, and the harbour master expects the winter storms to test them soon.</p>";

    fn signed(head: &str, before: &str, after: &str) -> Extraction {
        let page = format!(
            "<html><head><title>Ferry returns</title><meta property='og:site_name' content='The Harbour Post'>\
             {head}</head><body><article><h1>Ferry returns</h1>{before}{STORY}{after}</article></body></html>"
        );
        extract_html(&Page {
            bytes: page.as_bytes(),
            url: Some("https://harbourpost.example/f"),
            ..Page::default()
        })
    }

    fn json(author: &str) -> String {
        format!(
            "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"author\":{author}}}</script>"
        )
    }

    #[test]
    fn accounts_are_weighed() {
        let person = json(r#"{"@type":"Person","name":"Ann Able"}"#);
        let site = json(r#"{"@type":"Organization","name":"The Harbour Post"}"#);
        let byline = "<p class='byline'>By Bo Baker</p>";
        for (why, head, before, authors) in [
            ("JSON-LD before what is shown", &*person, "<a rel=author>Bo Baker</a>", &["Ann Able"][..]),
            ("but not where that opens as bylines do", &person, byline, &["Bo Baker"]),
            ("a person before the site", &site, byline, &["Bo Baker"]),
            ("the site where nobody else signs", &site, "", &["The Harbour Post"]),
            ("a person before an account", "<meta name=author content=annable7>", byline, &["Bo Baker"]),
            ("an account before the site", "<meta name=author content=annable7>", "", &["annable7"]),
            ("a desk alone", &json(r#""Harbour Desk""#), "", &["Harbour Desk"]),
            ("an agency listed", &json(r#"[{"name":"Ann Able"},{"name":"AFP"}]"#), "", &["Ann Able", "AFP"]),
            ("an agency behind a name", &json(r#""Ann Able, AFP""#), "", &["Ann Able"]),
            ("an agency alone", &json(r#""AFP""#), "", &["AFP"]),
            (
                "one who names more",
                &person,
                "<p class=byline>By Ann Able and Bo Baker</p>",
                &["Ann Able", "Bo Baker"],
            ),
            ("a full name", &json(r#""Ann""#), "<p class=byline>By Ann Able</p>", &["Ann Able"]),
            ("a byline of the same", &person, "<p class=byline>By A. Able</p>", &["Ann Able"]),
            (
                "mail",
                "<meta name=author content='post[at]quay.example'>",
                "<a rel=author>annable7</a>",
                &["annable7"],
            ),
            ("nobody", "", "", &[]),
        ] {
            assert_eq!(signed(head, before, "").authors, authors, "{why}");
        }
    }

    #[test]
    fn json_ld_is_read_for_the_page_s_article() {
        let graph = r#"<script type="application/ld+json">{"@graph":[
            {"@type":"Article","headline":"Bridge closes","author":{"name":"Bo Baker"}},
            {"@type":"Article","headline":"Ferry returns","author":{"@id":"/#ann"}},
            {"@type":"Person","@id":"/#ann","name":"Ann Able"}]}</script>"#;
        assert_eq!(signed(graph, "", "").authors, ["Ann Able"]);
        let page =
            r#"<script type="application/ld+json">{"@type":"WebPage","author":{"name":"Cy Cole"}}</script>"#;
        assert_eq!(signed(page, "<p class=byline>By Ann Able</p>", "").authors, ["Ann Able"]);
        assert_eq!(signed(page, "", "").authors, ["Cy Cole"]);
    }

    #[test]
    fn a_label_tells_what_its_value_is() {
        let card = |label: &str| {
            format!(
                "<meta name='twitter:label1' content='{label}'><meta name='twitter:data1' content='Ann Able'>"
            )
        };
        assert_eq!(signed(&card("Written by"), "", "").authors, ["Ann Able"]);
        assert_eq!(signed(&card("Filed under"), "", "").authors, [""; 0]);
    }

    #[test]
    fn the_agency_is_kept_apart() {
        let found = signed(&json(r#""Ann Able, AFP""#), "", "");
        assert_eq!((found.agency.as_deref(), found.byline.as_deref()), (Some("AFP"), Some("Ann Able, AFP")));
    }

    #[test]
    fn the_byline_is_that_of_who_signs() {
        let twice = "<p class=author>By Bo Baker</p>";
        for (before, byline) in [(twice.to_owned(), "By Bo Baker"), (twice.repeat(2), "By Bo Baker")] {
            let found = signed(&json(r#""Ann Able""#), &before, "");
            assert_eq!(found.byline.as_deref(), Some(byline), "{before}");
        }
    }

    #[test]
    fn bylines_are_found_where_they_stand() {
        for (why, before, after, authors) in [
            ("a prefix", "<div>By Ann Able</div>", "", &["Ann Able"][..]),
            ("a label above", "<div>Written by</div><div>Ann Able</div>", "", &["Ann Able"]),
            ("a prefix within", "<div>Posted on 3 March 2015 by Ann Able</div>", "", &["Ann Able"]),
            ("an author's page", "<div><a href='/authors/ann-able'>Ann Able</a></div>", "", &["Ann Able"]),
            (
                "microdata",
                "<span itemprop=author><span itemprop=name>annable</span></span>",
                "",
                &["annable"],
            ),
            ("a class", "<p class=storyAuthorName>Ann Able</p>", "", &["Ann Able"]),
            (
                "links",
                "<p>von <a rel=author>Ann Able</a> und <a rel=author>Bo Baker</a></p>",
                "",
                &["Ann Able", "Bo Baker"],
            ),
            ("beside a date", "<p>Ann Able</p><p>3 March 2015</p>", "", &["Ann Able"]),
            ("beside nothing", "<p>Ann Able</p>", "", &[]),
            (
                "a neighbouring date",
                "<div><span class=author>Ann Able</span><span>March 3, 2015</span></div>",
                "",
                &["Ann Able"],
            ),
            ("a desk", "<p class=author>Harbour Team</p>", "", &["Harbour Team"]),
            ("a signature", "", "<p><b>Ann Able</b></p>", &["Ann Able"]),
            ("an author line below", "", "<p>Text: Ann Able</p>", &["Ann Able"]),
            ("an editor", "<p class=author>Edited by Ann Able</p>", "", &[]),
            ("an editor later", "<p class=author>New revised edition, edited by Ann Able</p>", "", &[]),
            ("a tester", "<p class=author>Tested by Ann Able</p>", "", &[]),
            ("a line set off", "<p>--- by Ann Able</p>", "", &["Ann Able"]),
            (
                "a byline in what is called a column",
                "<div class=sidebar>By Harbour Team</div>",
                "",
                &["Harbour Team"],
            ),
            ("a sentence", "<p class=author>Ann Able, who paints boats, lives by the sea.</p>", "", &[]),
            ("a comment", "", "<div class=comments><p class=author>Ann Able</p></div>", &[]),
            ("prose", "<p class=author>Posts and articles</p>", "", &[]),
        ] {
            assert_eq!(signed("", before, after).authors, authors, "{why}");
        }
    }
}
