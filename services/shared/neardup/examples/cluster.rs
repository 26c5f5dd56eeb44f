//! Clusters articles on arrival: JSON lines `{"id","title","text","published_at"}` in, `{"id","cluster_id","relation"}` out.

use std::io::{BufRead, Write};

use neardup::{Document, Index, Member, Sketch, TextHash, are_kin, decide};
use serde_json::{Value, json};

struct Text {
    id: String,
    hash: TextHash,
    sketch: Sketch,
    published_at_ms: Option<i64>,
    cluster: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut texts: Vec<Text> = Vec::new();
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    let mut index = Index::default();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let document = Document::read(&field("text"));
        let sketch = Sketch::of(&document.paragraphs);
        let published_at_ms =
            article::Moment::parse(&field("published_at")).ok().map(|moment| moment.as_millis());
        let number = texts.len();
        texts.push(Text { id: field("id"), hash: document.text_hash, sketch, published_at_ms, cluster: 0 });
        let text = &texts[number];
        let found = index
            .candidates(&text.sketch.keys)
            .into_iter()
            .map(|n| n as usize)
            .filter(|&other| are_kin(&member(&texts[other], other), &member(text, number)));
        let mut joined: Vec<usize> = found.map(|other| texts[other].cluster).collect();
        joined.sort_unstable();
        joined.dedup();
        let cluster = joined.first().copied().unwrap_or_else(|| {
            clusters.push(Vec::new());
            clusters.len() - 1
        });
        for other in joined.into_iter().skip(1) {
            let moved = std::mem::take(&mut clusters[other]);
            clusters[cluster].extend(moved);
        }
        clusters[cluster].push(number);
        clusters[cluster].sort_unstable();
        for &of in &clusters[cluster] {
            texts[of].cluster = cluster;
        }
        let numbers = clusters[cluster].clone();
        let members: Vec<Member<'_>> = numbers.iter().map(|&of| member(&texts[of], of)).collect();
        let placements = decide(&members);
        let own = placements[numbers.len() - 1];
        let founder =
            numbers.iter().zip(&placements).find(|(_, p)| p.original == own.original).map(|(n, _)| *n);
        for (&of, placement) in numbers.iter().zip(&placements) {
            index.remove(of as u64, &texts[of].sketch.keys);
            if numbers[placement.record] == of {
                index.insert(of as u64, &texts[of].sketch.keys);
            }
        }
        let cluster_id = &texts[founder.unwrap_or(number)].id;
        writeln!(
            out,
            "{}",
            json!({"id": texts[number].id, "cluster_id": cluster_id, "relation": own.relation().as_str()})
        )?;
    }
    Ok(())
}

fn member(text: &Text, seen: usize) -> Member<'_> {
    Member {
        id: &text.id,
        text_hash: text.hash,
        sketch: &text.sketch,
        published_at_ms: text.published_at_ms,
        seen_at_ms: seen as i64,
        is_agency: false,
        trust: 50,
        is_teaser: false,
        declared_original: None,
    }
}
