//! What a request says of itself beyond its fields.

use crate::Request;

impl Request {
    /// Where it was first asked for, whatever redirects to other domains led to.
    pub fn first_url(&self) -> &str {
        if self.moved_from.is_empty() { &self.url } else { &self.moved_from }
    }

    /// Whether nothing is lost where nothing comes of it: it is for the archived copy of a page that was published as far
    /// as it is free.
    pub fn is_extra(&self) -> bool {
        self.memento_because == "teaser" && self.document.is_none()
    }
}
