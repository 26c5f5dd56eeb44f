//! Gradient-boosted trees (Friedman, "Greedy function approximation", 2001), read from a text file and summed.
//!
//! The file is `bias NUMBER`, then the trees, a node a line, each tree in pre-order: a split as `feature < threshold`,
//! followed by the branch taken when that holds and by the other one; a leaf as a number. Indentation is for readers.

use rustc_hash::FxHashMap;

/// A sum of decision trees over a row of named features.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    bias: f32,
    roots: Vec<u32>,
    /// Per tree, the least and the most that it and those after it can add.
    bounds: Vec<(f32, f32)>,
    nodes: Vec<Node>,
}

/// A split, or a leaf, whose `value` is what it adds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    feature: u16,
    /// Where the branch begins that is taken when the feature is not less; the other one follows at once.
    otherwise: u32,
    value: f32,
}

const LEAF: u16 = u16::MAX;

impl Model {
    /// Reads weights over the features of these names. `None` where they are broken or name a feature unknown here.
    pub fn read(text: &str, names: &[&str]) -> Option<Self> {
        let places: FxHashMap<&str, u16> = names.iter().copied().zip(0..).collect();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let bias = lines.next()?.strip_prefix("bias ")?.parse().ok()?;
        let mut model = Self { bias, ..Self::default() };
        // Splits of which the first branch is still being read.
        let mut open: Vec<usize> = Vec::new();
        let mut is_root = true;
        for line in lines {
            let at = model.nodes.len();
            if is_root {
                model.roots.push(u32::try_from(at).ok()?);
            }
            is_root = false;
            if let Some((name, threshold)) = line.split_once(" < ") {
                let feature = *places.get(name)?;
                model.nodes.push(Node { feature, otherwise: 0, value: threshold.parse().ok()? });
                open.push(at);
            } else {
                model.nodes.push(Node { feature: LEAF, otherwise: 0, value: line.parse().ok()? });
                // The innermost first branch ends here, and its split's other one begins.
                match open.pop() {
                    Some(split) => model.nodes.get_mut(split)?.otherwise = u32::try_from(at + 1).ok()?,
                    None => is_root = true,
                }
            }
        }
        model.bounds = model.bounds();
        is_root.then_some(model)
    }

    fn bounds(&self) -> Vec<(f32, f32)> {
        let ends = self.roots.iter().skip(1).copied().chain([self.nodes.len() as u32]);
        let mut rest = (0.0, 0.0);
        let mut bounds: Vec<(f32, f32)> = Vec::with_capacity(self.roots.len());
        let trees: Vec<(u32, u32)> = self.roots.iter().copied().zip(ends).collect();
        for &(root, end) in trees.iter().rev() {
            let tree = self.nodes.get(root as usize..end as usize).unwrap_or_default();
            let leaves = || tree.iter().filter(|node| node.feature == LEAF).map(|leaf| leaf.value);
            rest.0 += leaves().fold(f32::MAX, f32::min);
            rest.1 += leaves().fold(f32::MIN, f32::max);
            bounds.push(rest);
        }
        bounds.reverse();
        bounds
    }

    /// Whether a row's log-odds are no less than `least`: [`Self::score`], but only as far as it can change the answer.
    pub fn reaches(&self, row: &[f32], least: f32) -> bool {
        /// Sums in another order differ by less.
        const ROUNDING: f32 = 1e-3;
        let mut score = self.bias;
        for (&root, (min, max)) in self.roots.iter().zip(&self.bounds) {
            if score + max < least - ROUNDING {
                return false;
            }
            if score + min > least + ROUNDING {
                return true;
            }
            score += self.leaf(root as usize, row);
        }
        score >= least
    }

    /// The log-odds of a row.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.bias + self.roots.iter().map(|&root| self.leaf(root as usize, row)).sum::<f32>()
    }

    fn leaf(&self, root: usize, row: &[f32]) -> f32 {
        let mut at = root;
        loop {
            let Some(node) = self.nodes.get(at) else { return 0.0 };
            match row.get(usize::from(node.feature)) {
                None => return node.value,
                Some(value) if *value < node.value => at += 1,
                Some(_) => at = node.otherwise as usize,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_read_in_pre_order_and_summed() {
        let text = "# two trees\nbias 0.5\n\nwords < 10\n density < 0.3\n  1\n  -2\n 4\n\ndensity < 0.5\n 0.25\n -0.25\n";
        let model = Model::read(text, &["words", "density"]).unwrap();
        for (row, score) in [([5.0, 0.1], 1.75), ([5.0, 0.4], -1.25), ([10.0, 0.9], 4.25)] {
            assert_eq!(model.score(&row), score, "{row:?}");
            for least in [-9.0, -1.25, 0.0, 1.75, 1.8, 9.0] {
                assert_eq!(model.reaches(&row, least), score >= least, "{row:?} {least}");
            }
        }
        assert_eq!(Model::read("bias 0\nwords < 1\n 1\n", &["words"]), None, "a branch is missing");
        assert_eq!(Model::read("bias 0\nletters < 1\n1\n1\n", &["words"]), None, "an unknown feature");
    }
}
