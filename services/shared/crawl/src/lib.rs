//! The rules of a crawl frontier: when a host may be asked again, which of its requests goes first, what a failure means,
//! where a redirect leads, what robots.txt allows, which addresses are refused, what a feed or sitemap names, when it is
//! looked at again, and which outlets there are.
//!
//! Functions over values: no I/O, and the time is an argument. Instants are Unix milliseconds (`*_at_ms`), durations
//! milliseconds (`*_ms`). Whatever comes from the network is bounded here by bytes or by count, and never panics.

mod address;
mod discovery;
mod failure;
mod order;
mod politeness;
mod quota;
mod redirect;
mod retry;
mod revisit;
mod rhythm;
mod robots;
mod sniff;
mod sorted;
mod sources;

pub use address::{is_public, refused_literal};
pub use discovery::{
    Discovered, DiscoveryError, Feed, Leads, discover_feed, discover_opml, discover_sitemap, max_age_ms,
};
pub use failure::{Failure, Fate};
pub use order::{HostQueue, Lane, Place, Turn};
pub use politeness::{Host, Outcome, Policy, Signal, after_assignment, after_fetch, delay, retry_after_ms};
pub use quota::Spent;
pub use redirect::{Redirect, redirect};
pub use retry::{Retry, RetryPolicy, retry};
pub use revisit::{Validators, Version, distrusted_until_ms, next_revisit_ms};
pub use rhythm::{Poll, PollLimits, Rhythm, after_poll, silence};
pub use robots::{
    Availability, MAX_ROBOTS_BYTES, Robots, RobotsFetch, RobotsFile, Rule, product_token, robots_after_fetch,
};
pub use sniff::{Kind, sniff};
pub use sources::{Changes, Outlet, Problem, Sources, SourcesError, Watched, changes};
