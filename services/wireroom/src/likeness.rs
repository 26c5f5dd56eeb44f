//! The normalizer as a filter over JSON lines, and what two of its articles are to each other.

use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Result;
use normalizer::{Explained, Explanation, Place, Shares};

use crate::{Outcome, cli::ClusterOptions, filters::reader, streams::stdout};

/// Words at either end of a longer passage that is in both texts: what differs is what one looks for.
const SHOWN_ENDS: usize = 20;

pub fn cluster(options: &ClusterOptions) -> Result<Outcome> {
    let reader = reader(options.file.as_deref())?;
    let mut out = BufWriter::new(stdout());
    let Some([a, b]) = options.explain.as_deref() else {
        let refused = normalizer::filter(reader, out)?;
        return Ok(if refused == 0 { Outcome::Done } else { Outcome::SomeFailed });
    };
    let explanation = normalizer::explain(reader, a, b)?;
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&explanation)?)?;
    } else {
        let is_coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        show(&explanation, is_coloured, &mut out)?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}

fn show(explanation: &Explanation, is_coloured: bool, out: &mut impl Write) -> io::Result<()> {
    let Explanation { a, b, .. } = explanation;
    for (name, side) in [("A", a), ("B", b)] {
        show_side(name, side, out)?;
    }
    writeln!(out)?;
    match (explanation.rule, a.relation_to_other, b.relation_to_other) {
        (Some(rule), Some(of_a), Some(of_b)) => {
            writeln!(
                out,
                "together     by {rule}: A is to B {}, B is to A {}",
                with_article(of_a),
                with_article(of_b)
            )?;
        }
        _ => writeln!(out, "apart        {}", explanation.missed.as_deref().unwrap_or_default())?,
    }
    if explanation.rule.is_none() && a.cluster_id == b.cluster_id {
        writeln!(out, "             they are in one cluster by others that are like both")?;
    } else if explanation.rule.is_some() && a.cluster_id != b.cluster_id {
        writeln!(out, "             they are in two clusters: one is liker to the original of another")?;
    }
    let shares = |Shares { a_in_b, b_in_a }| format!("{a_in_b:.2} of A in B, {b_in_a:.2} of B in A");
    writeln!(out, "5 words      {}", shares(explanation.contained_5_words))?;
    writeln!(out, "3 words      {}", shares(explanation.contained_3_words))?;
    let within = if explanation.is_of_same_days { "within the window" } else { "of any time" };
    let apart = explanation
        .published_apart_ms
        .map_or("unknown".to_owned(), |ms| format!("{:.1} hours apart", ms as f64 / 3_600_000.0));
    writeln!(out, "published    {apart}: {within}")?;
    writeln!(out, "figures      {} of {} agree", explanation.figures_agreeing, explanation.figures_shared)?;
    writeln!(out)?;
    for passage in &explanation.passages {
        let (sign, colour, text) = match passage.place {
            Place::Both => ("  ", "", ends(&passage.text, passage.words)),
            Place::A => ("- ", "\x1b[31m", passage.text.clone()),
            Place::B => ("+ ", "\x1b[32m", passage.text.clone()),
        };
        let is_coloured = is_coloured && !colour.is_empty();
        let (begin, end) = if is_coloured { (colour, "\x1b[0m") } else { ("", "") };
        writeln!(out, "{begin}{sign}{text}{end}")?;
    }
    if explanation.is_cut {
        writeln!(out, "… and what comes after the first words of a long text")?;
    }
    Ok(())
}

fn show_side(name: &str, side: &Explained, out: &mut impl Write) -> io::Result<()> {
    let Explained { id, title, published_at, words, counted_words, cluster_id, relation, .. } = side;
    let published_at = if published_at.is_empty() { "undated" } else { published_at };
    writeln!(
        out,
        "{name}  {}  {published_at}  {words} words, {counted_words} counted  {title}",
        id.escape_debug()
    )?;
    writeln!(out, "   {relation} in the cluster {}", cluster_id.escape_debug())
}

fn with_article(relation: &str) -> String {
    let article = match relation {
        "derived" => "",
        word if word.starts_with(['a', 'e', 'i', 'o', 'u']) => "an ",
        _ => "a ",
    };
    format!("{article}{relation}")
}

fn ends(text: &str, words: usize) -> String {
    let spaced: Vec<&str> = text.split(' ').collect();
    match (spaced.get(..SHOWN_ENDS), spaced.len().checked_sub(SHOWN_ENDS).and_then(|from| spaced.get(from..)))
    {
        (Some(first), Some(last)) if spaced.len() > 2 * SHOWN_ENDS => {
            format!("{} … ({words} words) … {}", first.join(" "), last.join(" "))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "The harbour board voted on Tuesday to dredge the eastern channel before winter so that 40 grain \
        ships can reach the new silos without waiting for the spring tides and pilots welcomed the plan at once, said Ann \
        Able, who has asked for it since the old channel silted up in the floods of nine years ago.";

    fn shown(other: &str, is_coloured: bool) -> String {
        let line = |id: &str, text: &str| {
            serde_json::json!({"id": id, "title": "Harbour", "text": text, "published_at": "2026-03-02"})
                .to_string()
        };
        let input = [line("a", STORY), line("b", other)].join("\n");
        let mut out = Vec::new();
        show(&normalizer::explain(input.as_bytes(), "a", "b").unwrap(), is_coloured, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_explanation_is_shown() {
        insta::assert_snapshot!(shown(&STORY.replace("welcomed", "opposed"), false));
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(shown("Nothing of the kind.", true).contains("\x1b[31m- the harbour board"));
        assert!(!shown("Nothing of the kind.", false).contains('\x1b'));
    }
}
