//! The binary ends as `wireroom fetcher` does: with 2 where the configuration is wrong, with 1 where something else is.

use std::process::Command;

#[test]
fn what_is_wrong_is_named_and_told_by_the_exit_code() {
    for (variable, value, code, named) in [
        ("WIREROOM__FETCHER__DELAY", "soon", 2, "delay"),
        ("WIREROOM__FETCHER__USER_AGENT", "", 2, "user_agent"),
        ("WIREROOM__FETCHER__MEMENTO", "foo", 2, "memento"),
        ("WIREROOM__TRACING__ENDPOINT", "x", 2, "tracing.endpoint"),
        ("WIREROOM__KAFKA__CLIENT__SASL_PASWORD", "x", 2, "sasl.pasword"),
        ("WIREROOM__KAFKA__BROKERS", "127.0.0.1:1", 1, "127.0.0.1:1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_fetcher"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{variable}: {said}");
        assert!(said.contains(named), "{variable}: {said}");
    }
}

#[test]
fn help_has_the_exit_codes() {
    let output = Command::new(env!("CARGO_BIN_EXE_fetcher")).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(&format!("{}\n", service::EXIT_CODES)));
}
