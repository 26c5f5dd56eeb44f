//! Turns pages into article records. Stateless: any number of instances, in any order.
//!
//! A page gives up to two articles: what was fetched, and the document that came along. A page that is no article (a
//! consent wall, a listing, an error page) is not published: it goes to the dead letters with its verdict as the reason
//! and the evidence as the detail, so that nothing accepted is lost from sight and a better extractor can replay it. A
//! claim to be taken from elsewhere (a canonical link to another domain) queues a request for that original.

mod bodies;
mod config;
mod counts;
mod further;
mod record;
mod stage;
mod withdrawn;
mod worker;

pub use bodies::Bodies;
pub use config::{Config, Directive};
pub use stage::{Extractor, ROLE};
pub use worker::{SERVICE, workers};
