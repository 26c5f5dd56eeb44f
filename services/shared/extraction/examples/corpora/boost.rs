//! Boosting decision trees on histograms, as LightGBM does (Ke and others, NeurIPS 2017): features are cut into bins,
//! trees grow by the best leaf, splits are found by sums over bins.

use std::fmt::Write;

/// How trees are grown.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub trees: usize,
    pub leaves: usize,
    pub learning_rate: f64,
    /// Rows that a leaf must hold.
    pub leaf_rows: usize,
    /// Ridge on the leaves.
    pub ridge: f64,
    /// Shares of rows and features that each tree sees.
    pub row_share: f64,
    pub feature_share: f64,
}

/// Rows with the probability wanted for each, and how much it counts.
pub struct Table {
    features: usize,
    /// By feature: the lower edge of every bin but the first.
    edges: Vec<Vec<f32>>,
    /// By feature: each row's bin.
    bins: Vec<Vec<u8>>,
    wanted: Vec<f64>,
    counts: Vec<f64>,
}

const BINS: usize = 64;

impl Table {
    pub fn new(rows: &[&[f32]], wanted: Vec<f64>, counts: Vec<f64>) -> Self {
        let features = rows.first().map_or(0, |row| row.len());
        let edges: Vec<Vec<f32>> =
            (0..features).map(|f| edges(rows.iter().map(|row| row[f]).collect())).collect();
        let bin = |f: usize, value: f32| {
            u8::try_from(edges[f].partition_point(|edge| *edge <= value)).unwrap_or(u8::MAX)
        };
        let bins = (0..features).map(|f| rows.iter().map(|row| bin(f, row[f])).collect()).collect();
        Self { features, edges, bins, wanted, counts }
    }
}

/// Edges between bins of about equal numbers of rows; a value never lies in two.
fn edges(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_by(f32::total_cmp);
    let step = (values.len() / BINS).max(1);
    let mut edges: Vec<f32> = Vec::new();
    let mut at = 0;
    while at < values.len() && edges.len() + 1 < BINS {
        let end = values.partition_point(|v| *v <= values[(at + step - 1).min(values.len() - 1)]);
        if let (Some(last), Some(next)) = (values.get(end - 1), values.get(end)) {
            edges.push(f32::midpoint(*last, *next));
        }
        at = end;
    }
    edges
}

enum Node {
    Leaf(f64),
    Split { feature: usize, threshold: f32, less: Box<Node>, otherwise: Box<Node> },
}

/// Sums of the loss' first and second derivative, and rows.
#[derive(Clone, Copy, Default)]
struct Sum {
    gradient: f64,
    curvature: f64,
    rows: usize,
}

impl Sum {
    fn gain(self, ridge: f64) -> f64 {
        self.gradient * self.gradient / (self.curvature + ridge)
    }

    fn less(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }
}

struct Cut {
    gain: f64,
    feature: usize,
    bin: usize,
}

/// A node that may still be split.
struct Open {
    rows: Vec<u32>,
    sum: Sum,
    cut: Option<Cut>,
    place: Vec<bool>,
}

/// Trains, and writes the weights as text.
pub fn train(table: &Table, names: &[&str], settings: Settings) -> String {
    let rows = table.wanted.len();
    let mean = |of: &[f64]| of.iter().zip(&table.counts).map(|(v, c)| v * c).sum::<f64>();
    let share = mean(&table.wanted) / table.counts.iter().sum::<f64>();
    let bias = (share / (1.0 - share)).ln();
    let mut scores = vec![bias; rows];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut out = format!("bias {bias:.4}\n");
    for _ in 0..settings.trees {
        let sums: Vec<Sum> = (0..rows)
            .map(|i| {
                let p = 1.0 / (1.0 + (-scores[i]).exp());
                let count = table.counts[i];
                Sum { gradient: count * (table.wanted[i] - p), curvature: count * p * (1.0 - p), rows: 1 }
            })
            .collect();
        let sampled: Vec<u32> = (0..rows as u32).filter(|_| random.next() < settings.row_share).collect();
        let features: Vec<usize> =
            (0..table.features).filter(|_| random.next() < settings.feature_share).collect();
        let tree = grow(table, &sums, sampled, &features, settings);
        for (i, score) in scores.iter_mut().enumerate() {
            *score += value(&tree, table, i);
        }
        let _ = writeln!(out);
        write_tree(&tree, names, 0, &mut out);
    }
    out
}

fn grow(table: &Table, sums: &[Sum], rows: Vec<u32>, features: &[usize], settings: Settings) -> Node {
    let open = |rows: Vec<u32>, place: Vec<bool>| {
        let sum = rows.iter().fold(Sum::default(), |sum, &i| add(sum, sums[i as usize]));
        let cut = best_cut(table, sums, &rows, sum, features, settings);
        Open { rows, sum, cut, place }
    };
    let mut leaves = vec![open(rows, Vec::new())];
    let mut splits: Vec<(Vec<bool>, usize, f32)> = Vec::new();
    while leaves.len() < settings.leaves {
        let gain = |leaf: &Open| leaf.cut.as_ref().map_or(0.0, |cut| cut.gain);
        let Some(best) = (0..leaves.len()).max_by(|a, b| gain(&leaves[*a]).total_cmp(&gain(&leaves[*b])))
        else {
            break;
        };
        let leaf = leaves.swap_remove(best);
        let Some(cut) = leaf.cut else {
            leaves.push(leaf);
            break;
        };
        let bins = &table.bins[cut.feature];
        let (less, otherwise): (Vec<u32>, Vec<u32>) =
            leaf.rows.iter().partition(|&&i| usize::from(bins[i as usize]) <= cut.bin);
        splits.push((leaf.place.clone(), cut.feature, table.edges[cut.feature][cut.bin]));
        let to = |side: bool| leaf.place.iter().copied().chain([side]).collect::<Vec<bool>>();
        leaves.push(open(less, to(true)));
        leaves.push(open(otherwise, to(false)));
    }
    assemble(&[], &splits, &leaves, settings)
}

fn assemble(place: &[bool], splits: &[(Vec<bool>, usize, f32)], leaves: &[Open], settings: Settings) -> Node {
    if let Some((_, feature, threshold)) = splits.iter().find(|(at, ..)| at == place) {
        let at = |side: bool| {
            let place: Vec<bool> = place.iter().copied().chain([side]).collect();
            Box::new(assemble(&place, splits, leaves, settings))
        };
        return Node::Split {
            feature: *feature,
            threshold: *threshold,
            less: at(true),
            otherwise: at(false),
        };
    }
    let sum = leaves.iter().find(|leaf| leaf.place == place).map_or_else(Sum::default, |leaf| leaf.sum);
    Node::Leaf(settings.learning_rate * sum.gradient / (sum.curvature + settings.ridge))
}

fn best_cut(
    table: &Table,
    sums: &[Sum],
    rows: &[u32],
    whole: Sum,
    features: &[usize],
    settings: Settings,
) -> Option<Cut> {
    if rows.len() < 2 * settings.leaf_rows {
        return None;
    }
    let mut best: Option<Cut> = None;
    for &feature in features {
        let mut histogram = [Sum::default(); BINS];
        let bins = &table.bins[feature];
        for &i in rows {
            let bin = &mut histogram[usize::from(bins[i as usize])];
            *bin = add(*bin, sums[i as usize]);
        }
        let mut less = Sum::default();
        for (bin, sum) in histogram.iter().enumerate().take(table.edges[feature].len()) {
            less = add(less, *sum);
            let otherwise = whole.less(less);
            if less.rows < settings.leaf_rows || otherwise.rows < settings.leaf_rows {
                continue;
            }
            let gain =
                less.gain(settings.ridge) + otherwise.gain(settings.ridge) - whole.gain(settings.ridge);
            if gain > best.as_ref().map_or(1e-9, |best| best.gain) {
                best = Some(Cut { gain, feature, bin });
            }
        }
    }
    best
}

fn add(a: Sum, b: Sum) -> Sum {
    Sum { gradient: a.gradient + b.gradient, curvature: a.curvature + b.curvature, rows: a.rows + b.rows }
}

fn value(tree: &Node, table: &Table, row: usize) -> f64 {
    match tree {
        Node::Leaf(value) => *value,
        Node::Split { feature, threshold, less, otherwise } => {
            let edges = &table.edges[*feature];
            let bin = usize::from(table.bins[*feature][row]);
            let is_less = bin == 0 || edges[bin - 1] < *threshold;
            value(if is_less { less } else { otherwise }, table, row)
        }
    }
}

fn write_tree(tree: &Node, names: &[&str], depth: usize, out: &mut String) {
    let _ = match tree {
        Node::Leaf(value) => writeln!(out, "{:depth$}{value:.4}", ""),
        Node::Split { feature, threshold, .. } => {
            writeln!(out, "{:depth$}{} < {threshold}", "", names[*feature])
        }
    };
    if let Node::Split { less, otherwise, .. } = tree {
        write_tree(less, names, depth + 1, out);
        write_tree(otherwise, names, depth + 1, out);
    }
}

/// The same numbers on every machine (splitmix64, Steele and others, 2014).
struct Random(u64);

impl Random {
    /// From 0 up to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
