//! What can be typed, frozen: a change here is a change for users. `INSTA_UPDATE=always cargo test` takes it over.

use tests::run;

const COMMANDS: [&[&str]; 21] = [
    &[],
    &["run"],
    &["fetcher"],
    &["extractor"],
    &["normalizer"],
    &["extract"],
    &["cluster"],
    &["topics"],
    &["topics", "create"],
    &["topics", "check"],
    &["submit"],
    &["withdraw"],
    &["sources"],
    &["sources", "import"],
    &["sources", "list"],
    &["sources", "check"],
    &["tail"],
    &["deadletters", "list"],
    &["deadletters", "show"],
    &["deadletters", "replay"],
    &["check-config"],
];

#[test]
fn help() {
    let mut all = String::new();
    for command in COMMANDS {
        let output = run::wireroom()
            .args(command)
            .arg("--help")
            .env("COLUMNS", "100")
            .env_remove("WIREROOM_CONFIG")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command:?}");
        all += &format!("$ wireroom {}\n{}\n", command.join(" "), String::from_utf8(output.stdout).unwrap());
    }
    insta::assert_snapshot!(all);
}
