//! What would happen to a URL, asked of a fetcher that runs, and of its state when it does not.

use super::*;
use crate::explain::{Verdict, ask::explain_stopped};

#[test]
fn a_question_is_answered_from_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Clock::system().now_ms());
    let url = CanonicalUrl::parse("https://a.example/1").unwrap();
    {
        let mut b = Bench::open(folder.path(), &clock, &config());
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        b.fetcher.questions = Questions::of(receiver);
        let ask = |b: &mut Bench| {
            let (answer, mut answered) = tokio::sync::oneshot::channel();
            sender.try_send(Question { url: url.clone(), answer }).unwrap();
            b.turn();
            answered.try_recv().unwrap()
        };
        b.settle();
        assert_eq!(ask(&mut b).verdict, Verdict::WouldBeFetched);
        b.submit(&request("https://a.example/1"));
        b.settle();
        assert_eq!(ask(&mut b).verdict, Verdict::BeingFetched);
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(502)));
        let said = ask(&mut b);
        assert_eq!((said.verdict, said.queued.unwrap().attempts), (Verdict::Queued, 1));
        assert_eq!(said.not_before_ms, Some(clock.now_ms() + 5_000));
    }
    let options = pipeline::embedded::Options::default();
    let log = pipeline::embedded::Embedded::open(folder.path(), &options).unwrap();
    let said = explain_stopped(&log, &config(), &url).unwrap();
    assert_eq!((said.verdict, said.domain_state.unwrap().queued), (Verdict::Queued, 1), "when stopped, too");
}
