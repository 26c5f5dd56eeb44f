//! Sums over a page's blocks, for any range of its nodes.

use super::Read;
use crate::body::Reading;

/// Sums over the blocks before each node.
pub(super) struct Sums {
    /// How many blocks begin before each node.
    blocks: Vec<u32>,
    /// Over so many blocks.
    sums: Vec<Sum>,
}

#[derive(Default, Clone, Copy)]
pub(super) struct Sum {
    pub prose: f32,
    pub weight: f32,
    pub links: f32,
    pub count: f32,
    pub kept: f32,
}

impl Sum {
    pub fn less(self, other: Self) -> Self {
        Self {
            prose: self.prose - other.prose,
            weight: self.weight - other.weight,
            links: self.links - other.links,
            count: self.count - other.count,
            kept: self.kept - other.kept,
        }
    }
}

impl Sums {
    pub fn of(reading: &Reading, reads: &[Read], kept: &[bool]) -> Self {
        let mut blocks = Vec::with_capacity(reading.outline.len() + 1);
        let mut sum = Sum::default();
        let mut sums = vec![sum];
        for ((block, read), kept) in reading.blocks.iter().zip(reads).zip(kept) {
            blocks.resize(block.at + 1, sums.len() as u32 - 1);
            sum.prose += read.prose;
            sum.weight += block.weight as f32;
            sum.links += block.link_weight as f32;
            sum.count += 1.0;
            sum.kept += if *kept { block.weight as f32 } else { 0.0 };
            sums.push(sum);
        }
        blocks.resize(reading.outline.len() + 1, sums.len() as u32 - 1);
        Self { blocks, sums }
    }

    /// Over the blocks that begin before a node.
    pub fn before(&self, node: usize) -> Sum {
        self.sums[self.blocks[node] as usize]
    }
}
