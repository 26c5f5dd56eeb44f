//! The fetcher as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    service::main(fetcher::SERVICE, fetcher::workers)
}
