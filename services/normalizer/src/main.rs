//! The normalizer as a process of its own: both roles, or one.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main(normalizer::SERVICE, normalizer::workers)
}
