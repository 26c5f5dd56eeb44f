//! The documents the design began with, as stories of one's own: a reprint that names its original, that original as
//! scraped and as fetched, another outlet's extended version, and two other stories.

use super::*;

const FETCHED: &str = "https://gazette.example/business/larch-line-funding";
const EXTENDED: &str = "https://courier.example/rail/larch-line-vote";
const QUARRY: &str = "https://gazette.example/science/quarry-fossils";
const LIBRARY: &str = "https://harbour.example/culture/night-library";

const WIRE: [&str; 6] = [
    "The regional council of Aldermere voted late on Tuesday to spend $400 million on reopening the Larch Valley \
     railway, ending a dispute over the abandoned line that had divided the towns along it for eleven years.",
    "Under the plan, trains will run every half hour between Aldermere and the quarry town of Stennick from the autumn \
     of 2029, stopping at nine stations, six of which have stood empty since the last passenger service was withdrawn.",
    "“We were told that nobody would ever ride these trains, and then forty thousand people signed a petition asking \
     for them,” said Ann Able, who leads the council. “A valley without a railway is a valley that young people leave.”",
    "Opponents, among them most of the valley's farmers, said that the money ought to go to bridges and bus routes \
     instead, and that the forecast of two million journeys a year was taken out of thin air.",
    "The line was built in 1884 to carry slate to the harbour. Its viaduct over the Brindle, the longest in the county, \
     will have to be strengthened before heavier trains may cross it, which engineers expect to take three years.",
    "Work on the first section is due to begin in March. The ministry of transport, which pays for a third of it, has \
     asked for a report on the cost of the viaduct before the summer.",
];

/// The wire story as another desk tells it.
const RETOLD: [&str; 6] = [
    "The regional council of Aldermere voted on Tuesday night to spend $400 million on reopening the Larch Valley \
     railway, which ends a dispute over the abandoned line that had divided the towns along it for eleven years.",
    "Under the plan, trains will run every half hour between Aldermere and the quarry town of Stennick from the autumn \
     of 2029, stopping at nine stations, six of which have stood empty since the last passenger service.",
    "“We were told that nobody would ever ride these trains, and then forty thousand people signed a petition asking \
     for them,” said council leader Ann Able. “A valley without a railway is a valley that young people leave.”",
    "Opponents, among them most of the valley's farmers, said the money ought to go to bridges and bus routes instead, \
     and that the forecast of two million journeys a year was taken out of thin air.",
    "The line was built in 1884 to carry slate to the harbour. Its viaduct over the Brindle, the longest in the county, \
     must be strengthened before heavier trains may cross it, which engineers expect to take three years.",
    "Work on the first section is due to begin in March. The ministry of transport, which pays for a third of it, wants \
     a report on the cost of the viaduct before the summer.",
];

const OWN: [&str; 5] = [
    "At the Signal Box, a café in what used to be the waiting room at Thornby, the owner had the vote on the radio and \
     gave away the last of the day's scones when it was over. Her grandfather had been the porter there.",
    "Not everyone in the room was cheering. Two shepherds from the upper valley, whose lane will be closed for a year \
     while the embankment is dug out, asked who would pay for the detour their lorries must make over the pass.",
    "The Courier has followed the plan since 2015, when a retired surveyor walked the whole length of the track bed with \
     a measuring wheel and published what he found: forty culverts, of which thirty-one still drain.",
    "His estimate then came to less than half of what has been agreed now. Steel has doubled in price since, he said by \
     telephone, and nobody at the time had thought of the bats that winter in the Hollin tunnel.",
    "What remains open is the fare. The council has promised a single ticket for trains and buses, yet the bus company, \
     whose contract ends next year, has not been asked, and calls the idea interesting but early.",
];

const FOSSILS: [&str; 4] = [
    "Workers clearing spoil from a disused slate quarry above Stennick have uncovered the trackway of an animal that \
     crossed a mudflat some three hundred million years ago, the county museum said on Wednesday.",
    "The prints, forty-four of them in two lines, run for nine metres across a slab that had been lying face down since \
     the quarry closed. A digger operator noticed the pattern when the slab was turned over for crushing.",
    "Palaeontologists believe that the animal was about as long as a dog and walked with its tail held clear of the \
     ground. No bones were found, and none are expected, because the mud was too acid to keep them.",
    "The slab weighs six tonnes and will be moved to the museum in April, when the road over the pass is open again to \
     heavy vehicles. Until then it is under guard and a good deal of straw.",
];

const NIGHTS: [&str; 4] = [
    "For one night in every month the public library of Port Alder now stays open until sunrise, and the queue for the \
     forty armchairs in its reading room begins to form before the shops have closed.",
    "Nobody is allowed to speak above a whisper after ten o'clock, telephones are left in a basket at the door, and \
     soup is ladled out at midnight by a cook from the fishermen's mission across the square.",
    "The librarian, Ben Baker, took the idea from a monastery that he had visited as a student. He had expected a dozen \
     readers at the first night in October and counted two hundred and six.",
    "Loans have risen by a third since. The town has agreed to pay for the heating until the spring, and two other \
     libraries on the coast have written to ask where the armchairs came from.",
];

/// The five, and the page that the reprint has fetched.
fn press() -> ([Article; 5], Article) {
    let wrapped = |text: &str| {
        let mut lines = vec![String::new()];
        for word in text.replace('$', r"\$").split(' ') {
            if lines.last().is_some_and(|line| line.len() + word.len() > 72) {
                lines.push(String::new());
            }
            let line = lines.last_mut().unwrap();
            line.push_str(word);
            line.push(' ');
        }
        lines.join("\n")
    };
    let reprint = Article {
        declared_original: FETCHED.to_owned(),
        ..document("reprint.txt", "2026-03-19", WIRE.map(wrapped).join("\n\n"))
    };
    let scraped = [
        &["Independent journalism for the valley, paid for by its readers."][..],
        &WIRE,
        &["If you value what we do, please consider becoming a supporter today.", "Gazette newsroom"],
    ];
    let fetched = page(FETCHED, "2026-03-18T09:30:00Z", WIRE.join("\n\n"));
    let five = [
        reprint,
        document("scraped.txt", "", scraped.concat().join("\n\n")),
        page(EXTENDED, "2026-03-18T17:00:00Z", [&RETOLD[..], &OWN].concat().join("\n\n")),
        page(QUARRY, "2026-03-18T12:00:00Z", FOSSILS.join("\n\n")),
        page(LIBRARY, "2026-03-17T06:00:00Z", NIGHTS.join("\n\n")),
    ];
    (five, fetched)
}

fn check(desk: &Desk, order: &[usize]) {
    let outcome = desk.outcome();
    let places: Vec<&str> = outcome.keys().map(String::as_str).collect();
    assert_eq!(places, [EXTENDED, FETCHED, QUARRY, LIBRARY], "{order:?}");
    let set = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let (relation, body, occurrences, related) = &outcome[FETCHED];
    assert_eq!((relation.as_str(), body), ("original", &WIRE.join("\n\n")), "{order:?}");
    assert_eq!(*occurrences, set(&["copy reprint.txt", "copy scraped.txt"]), "{order:?}");
    assert_eq!(*related, set(&[&format!("extension {EXTENDED}")]), "{order:?}");
    let (relation, body, occurrences, related) = &outcome[EXTENDED];
    assert_eq!(
        (relation.as_str(), body),
        ("extension", &[&RETOLD[..], &OWN].concat().join("\n\n")),
        "{order:?}"
    );
    assert_eq!((occurrences.len(), related), (0, &set(&[&format!("original {FETCHED}")])), "{order:?}");
    for other in [QUARRY, LIBRARY] {
        let (relation, _, occurrences, related) = &outcome[other];
        assert_eq!((relation.as_str(), occurrences.len(), related.len()), ("original", 0, 0), "{order:?}");
    }
    desk.check_versions();
}

#[test]
fn five_documents_become_four_records_in_every_order() {
    let (five, fetched) = press();
    for order in permutations(five.len()) {
        let reprint = order.iter().position(|at| *at == 0).unwrap();
        // The original is fetched once the reprint is there, and may take its time.
        for comes_after in [reprint, five.len() - 1] {
            let mut desk = Desk::new();
            for (place, at) in order.iter().enumerate() {
                desk.arrive([five[*at].clone()]);
                if place == comes_after {
                    desk.arrive([fetched.clone()]);
                }
            }
            check(&desk, &order);
        }
    }
}

#[test]
fn a_reprint_stands_in_for_an_original_that_cannot_be_had() {
    let ([reprint, scraped, ..], _) = press();
    for articles in [[reprint.clone(), scraped.clone()], [scraped, reprint]] {
        let mut desk = Desk::new();
        desk.arrive(articles);
        let outcome = desk.outcome();
        let records: Vec<_> = outcome.iter().collect();
        let [(place, (_, body, occurrences, _))] = &records[..] else { panic!("{records:?}") };
        assert_eq!((place.as_str(), occurrences.len()), ("reprint.txt", 1));
        assert!(body.contains("$400") && !body.contains('\\') && body.lines().count() == 11, "{body}");
    }
}
