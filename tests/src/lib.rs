//! End-to-end tests on real logs and a press of our own writing.
//!
//! [`broker`] is a real Apache Kafka; [`press`] is the web that the pipeline is tested on;
//! [`counter`] is the small stage that the logs are tested with; [`run`] is the program and what its runs give;
//! [`services`] are its services as processes of their own; [`prometheus`] is who
//! watches them; [`made`] are articles for the decider; [`topics`] is what they leave, and what must hold of it.
//!
//! What a test cannot have makes it fail and say what to install; no test passes by skipping.

pub mod broker;
pub mod counter;
pub mod made;
pub mod press;
pub mod prometheus;
pub mod registry;
pub mod run;
pub mod secured;
pub mod services;
pub mod tokens;
pub mod topics;
pub mod wait;
