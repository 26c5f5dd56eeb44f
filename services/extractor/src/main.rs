//! The extractor as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main(extractor::SERVICE, extractor::workers)
}
