//! The binary ends as `wireroom extractor` does: with 2 where the configuration is wrong.

use std::process::Command;

#[test]
fn a_wrong_configuration_is_named_and_ends_with_2() {
    let mut extractor = Command::new(env!("CARGO_BIN_EXE_extractor"));
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--data"];
    extractor.args(arguments).arg(folder.path()).env("WIREROOM__KAFKA__BROKERS", "127.0.0.1:1");
    let output = extractor.env("WIREROOM__STORE__LOCATION", "/dev/null/store").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("/dev/null/store"), "{said}");
}

#[test]
fn help_has_the_exit_codes() {
    let output = Command::new(env!("CARGO_BIN_EXE_extractor")).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(&format!("{}\n", service::EXIT_CODES)));
}
