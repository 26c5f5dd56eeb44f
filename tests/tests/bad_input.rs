//! What cannot be used is named, with the cause; the rest is carried on.

use std::fs;
use std::path::Path;
use std::process::Output;

use pipeline::embedded::{Embedded, Options};
use tests::press::{self, Press};
use tests::run;
use tests::topics::Topics;

/// Not an input, and not one of the program's.
const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";

fn wireroom(arguments: &[&str], folder: &Path) -> Output {
    run::wireroom().args(arguments).current_dir(folder).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The line that names an input; it must say the cause.
fn assert_named(said: &str, input: &str, cause: &str) {
    let line = said.lines().find(|line| line.contains(input));
    let line = line.unwrap_or_else(|| panic!("{input} failed, and is not named in:\n{said}"));
    assert!(line.contains(cause), "{input}: the cause should be {cause:?}: {line}");
}

#[test]
fn each_bad_input_is_named_and_the_others_are_carried_on() {
    let (press, folder) = (Press::with_articles(1), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("binary.bin"), ELF).unwrap();
    fs::write(folder.path().join("empty.txt"), "\n").unwrap();
    fs::write(folder.path().join("out.json"), "{\"headline\": \"Harbour\"}\n{}\n").unwrap();
    let good = press.article_urls().remove(0);
    let bad = [
        ("nowhere.txt", "No such file"),
        ("https://", "is not a URL"),
        ("ftp://harbour-times.example/news", "not an http or https URL"),
        ("binary.bin", "not text or HTML"),
        ("empty.txt", "is empty"),
        ("out.json", "is JSON, not text or HTML"),
        (press::BLANK, "is no article"),
        (press::GONE, "404"),
        ("http://unheard-of.example/", "502"),
        ("http://10.0.0.1/news", "not a public address"),
        ("http://[::ffff:169.254.169.254]/latest", "not a public address"),
    ];
    let mut arguments = vec!["run", good.as_str()];
    arguments.extend(bad.map(|(input, _)| input));
    let proxy = press.proxy();
    arguments.extend(["--proxy", &proxy, "--delay", "20ms", "--give-up-after", "3s", "--out", "out.jsonl"]);

    let output = wireroom(&arguments, folder.path());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (input, cause) in bad {
        // The address as the program understands it.
        let named = if input.contains("ffff") { "ffff:a9fe:a9fe" } else { input };
        assert_named(&said, named, cause);
    }
    assert!(said.contains(&format!("{} failed", bad.len())), "{said}");
    let canonical = run::canonical(&folder.path().join("out.jsonl"));
    assert_eq!(canonical.iter().map(|article| article.place.as_str()).collect::<Vec<_>>(), [good]);
}

#[test]
fn a_folder_is_run_again_without_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    press::write_documents(folder.path()).unwrap();
    let articles = || {
        let arguments =
            ["run", ".", "--out", "articles.jsonl", "--proxy", "http://127.0.0.1:9", "--give-up-after", "1s"];
        let output = wireroom(&arguments, folder.path());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        run::canonical(&folder.path().join("articles.jsonl")).len()
    };
    assert_eq!((articles(), articles()), (press::DOCUMENTS.len(), press::DOCUMENTS.len()));
}

#[test]
fn without_a_proxy_names_are_resolved_and_addresses_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (unknown, private) = ("http://no-such-host.invalid/news", "http://127.0.0.1:9/news");
    let arguments = ["run", unknown, private, "--give-up-after", "3s", "--out", "out.jsonl"];
    let output = wireroom(&arguments, folder.path());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_named(&said, private, "not a public address");
    // Where no name server answers, that is the cause.
    assert_named(&said, unknown, "");
    assert!(said.contains("2 failed"), "{said}");
}

#[test]
fn what_cannot_be_started_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    config("section.toml", "[fetchr]\ndelay = '1s'\n");
    config("value.toml", "[fetcher]\ndelay = 5\n");
    config("broken.toml", "[fetcher\n");
    config("tracing.toml", "[tracing]\nendpoint = 'x'\n");
    config("client.toml", "[kafka.client]\n'sasl.pasword' = 'hunter2'\n");
    config("agent.toml", "[fetcher]\nuser_agent = ''\n");
    config("memento.toml", "[fetcher]\nmemento = 'foo'\n");
    config("websub.toml", "[fetcher]\nwebsub_callback = 'https://press.example'\nwebsub_key = 'short'\n");
    config("store.toml", "[store]\nlocation = 'file/store'\n");
    config("feed.xml", "<rss version='2.0'><channel><title>Harbour</title></channel></rss>");
    config("none.csv", "id,name\n");
    config("empty.toml", "");
    config("sources.toml", "[fetcher]\nsources = 'none.toml'\n");
    fs::write(folder.path().join("file"), "kept").unwrap();
    let url = "http://harbour-times.example/";
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["run"], 2, &["INPUT"]),
        (&["run", url, "--delay", "soon"], 2, &["soon", "--delay"]),
        (&["walk"], 2, &["walk"]),
        (&["run", url, "--config", "section.toml"], 2, &["[fetchr]", "fetcher"]),
        (&["run", url, "--config", "value.toml"], 2, &["value.toml", "delay", "a duration"]),
        (&["run", url, "--config", "broken.toml"], 2, &["broken.toml", "line 1"]),
        (&["check-config", "--config", "broken.toml"], 2, &["broken.toml", "line 1"]),
        (&["check-config", "--config", "tracing.toml"], 2, &["tracing.endpoint", "http://collector:4318"]),
        (&["check-config", "--config", "client.toml"], 2, &["sasl.pasword"]),
        (&["check-config", "--config", "sources.toml"], 2, &["none.toml"]),
        (&["check-config", "--config", "store.toml"], 2, &["file/store"]),
        (&["run", url, "--config", "tracing.toml"], 2, &["tracing.endpoint"]),
        (&["fetcher", "--config", "client.toml"], 2, &["sasl.pasword"]),
        (&["fetcher", "--config", "websub.toml"], 2, &["websub_key"]),
        (&["extractor", "--config", "store.toml"], 2, &["file/store"]),
        (&["run", url, "--config", "store.toml"], 2, &["file/store"]),
        (&["run", url, "--config", "agent.toml"], 2, &["user_agent"]),
        (&["run", url, "--config", "memento.toml"], 2, &["memento"]),
        (&["sources", "import", "feed.xml"], 1, &["feed.xml", "no outline with an xmlUrl"]),
        (&["sources", "import", "none.csv"], 1, &["none.csv", "no row"]),
        (&["sources", "import", "empty.toml"], 1, &["empty.toml", "[[outlet]]"]),
        (&["tail", "--config", "none.toml"], 2, &["none.toml", "No such file"]),
        (&["run", url, "--data", "file/folder"], 1, &["file/folder", "writable"]),
        (&["run", url, "--out", "file/out.jsonl"], 1, &["file/out.jsonl", "cannot be written"]),
        (&["run", url, "file", "--out", "./file"], 2, &["--out ./file", "is an input"]),
        (&["run", url, "--proxy", "nonsense"], 2, &["nonsense", "http://host:port"]),
        (&["run", url, "--extra-ca", "none.pem"], 2, &["none.pem", "PEM"]),
        (&["run", url, "--kafka", "127.0.0.1:1"], 1, &["127.0.0.1:1", "is Kafka running there"]),
        (&["topics", "create", "--kafka", "127.0.0.1:1"], 1, &["127.0.0.1:1", "is Kafka running there"]),
        (&["submit", url, "--kafka", "127.0.0.1:1"], 1, &["127.0.0.1:1", "is Kafka running there"]),
        (&["withdraw", "harbour", "--data", "none"], 2, &["\"harbour\"", "address of an article"]),
        (&["submit", url, "--label", "desk", "--data", "none"], 2, &["--label", "NAME=VALUE"]),
        (&["tail", "canonical"], 2, &["--data DIR", "--kafka HOST:PORT"]),
        (&["tail", "canonical", "--data", "none"], 1, &["none", "--data"]),
        (&["tail", "cannonical", "--data", "none"], 2, &["cannonical", "canonical, changes"]),
    ];
    for (arguments, code, words) in cases {
        let output = wireroom(arguments, folder.path());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {said}");
        for word in *words {
            assert!(said.contains(word), "{arguments:?} should say {word:?}: {said}");
        }
        assert!(!said.contains("hunter2"), "{arguments:?} tells a secret: {said}");
        assert!(*code != 2 || !said.contains("\"level\""), "{arguments:?} is said, and not logged: {said}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "kept");
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let (press, folder) = (Press::with_articles(1), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let mut follower = run::follower(&press, &data);
    let output = wireroom(&["run", &press.article_urls()[0], "--data", "data"], folder.path());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_named(&said, "data", "another wireroom is using the data folder data");
    assert!(follower.0.try_wait().unwrap().is_none(), "the process that has the folder goes on");
}

#[test]
fn a_glance_into_the_folder_does_not_keep_a_process_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default();
    let glance = Embedded::open(folder.path(), &options).unwrap();
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| Embedded::open(folder.path(), &options).is_ok());
        drop(glance);
        assert!(starting.join().unwrap());
    });
}

#[test]
fn a_running_process_takes_submissions_and_shows_its_topics() {
    let (press, folder) = (Press::with_articles(2), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let follower = run::follower(&press, &data);
    let topics = Topics::in_folder(&data);
    let good = press.article_urls().remove(0);
    let place = data.display().to_string();
    let output = wireroom(&["submit", &good, press::GONE, "nowhere.txt", "--data", &place], folder.path());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_named(&stderr(&output), "nowhere.txt", "No such file");
    let requests = String::from_utf8(output.stdout).unwrap();
    assert_eq!(requests.lines().count(), 2, "a request for each of the others: {requests}");

    tests::wait::until("an article and a dead letter", || {
        !topics.read("canonical").is_empty() && !topics.dead_letters().is_empty()
    });
    assert_the_article_and_the_dead_letter(&topics, &good, requests.lines().nth(1).unwrap());
    drop(follower);

    // The same of a folder that no process holds.
    assert_the_article_and_the_dead_letter(&topics, &good, requests.lines().nth(1).unwrap());
    topics.assert_versions();
    replayed_dead_letters_are_tried_again(&press, &topics, folder.path());
}

fn assert_the_article_and_the_dead_letter(topics: &Topics, url: &str, request: &str) {
    let articles = topics.canonical();
    assert_eq!(articles.iter().map(|article| article.place.as_str()).collect::<Vec<_>>(), [url]);
    let letters = topics.dead_letters();
    let [letter] = letters.as_slice() else { panic!("one dead letter: {letters:?}") };
    assert_eq!((letter.id.as_str(), letter.reason.as_str()), ("fetcher/0/0", "gone"));
    assert_eq!(letter.request_id, request);
    assert_named(&letter.detail, press::GONE, "404");
}

/// What was put back ends as before: with a dead letter of its own.
fn replayed_dead_letters_are_tried_again(press: &Press, topics: &Topics, folder: &Path) {
    let place = &topics.place()[1];
    for arguments in [["deadletters", "show", "fetcher/0/7"], ["deadletters", "replay", "fetcher/0/7"]] {
        let output = run::wireroom().args(arguments).args(["--data", place]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_named(&stderr(&output), "fetcher/0/7", "deadletters list");
    }
    let asked = |press: &Press| press.served().iter().filter(|served| served.url == press::GONE).count();
    let before = asked(press);
    let output = wireroom(&["deadletters", "replay", "fetcher/0/0", "--data", place], folder);
    assert!(output.status.success(), "{}", stderr(&output));
    let follower = run::follower(press, Path::new(place));
    tests::wait::until("the dead letter of the second attempt", || topics.dead_letters().len() == 2);
    drop(follower);
    assert_eq!(asked(press), before + 1);
    let letters = topics.dead_letters();
    assert_eq!(letters[0].request_id, letters[1].request_id);
}
