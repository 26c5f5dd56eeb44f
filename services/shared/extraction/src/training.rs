//! What training needs of the crate: a page's blocks as the model sees them.

pub use crate::model::Model;
use crate::page::{Page, extract};

/// A block of a page.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its text.
    pub text: String,
    /// Its features, in the order of [`names`].
    pub features: Vec<f32>,
}

/// The features' names.
pub fn names() -> Vec<String> {
    crate::features::names()
}

/// The blocks of a page, in order.
pub fn blocks(html: &str, url: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let page = Page {
        bytes: html.as_bytes(),
        url: Some(url),
        content_type: Some("text/html; charset=utf-8"),
        ..Page::default()
    };
    extract(&page, &mut |block, row| {
        found.push(Block { text: block.text.clone(), features: row.to_vec() });
    });
    found
}
