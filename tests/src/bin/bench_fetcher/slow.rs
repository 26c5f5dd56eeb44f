//! One host that answers in half a minute among 199 that answer at once, all in one partition: what the others lose.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    figure, part,
    run::{self, config},
    web::{Web, host},
};

/// How long the slow host takes; as long as is measured.
pub const SLOW: Duration = Duration::from_secs(30);
const HOSTS: usize = 200;
/// Between two requests to a host: the machine must not be the bound, or every host would hold up every other.
const DELAY: Duration = Duration::from_millis(500);

pub fn measure() -> Result<()> {
    let web = Web::open("plain")?;
    let fetched = |kind: &str| {
        let folder = tempfile::tempdir()?;
        figure(&part("slow", &[&web.port, &folder.path().display(), &kind])?, "pages")
    };
    let (without, with) = (fetched("page")?, fetched("slow")?);
    println!("fetcher_pages_of_199_fast_hosts {without} pages");
    println!("fetcher_pages_of_199_fast_hosts_beside_a_slow_one {with} pages");
    println!("fetcher_loss_to_a_host_of_30_s {:.1} %", (1.0 - with / without) * 100.0);
    Ok(())
}

/// What the fast hosts give while the first is of a `kind`.
pub fn fetch(arguments: &[&str]) -> Result<()> {
    let [port, folder, kind] = arguments else { anyhow::bail!("usage: part slow PORT FOLDER KIND") };
    let log = run::open(Path::new(folder))?;
    // More than there is time for.
    let each = SLOW.as_millis() / DELAY.as_millis() + 10;
    let path = |n: usize| if n == 0 { *kind } else { "page" };
    let urls = (0..each)
        .flat_map(|round| (0..HOSTS).map(move |n| format!("http://{}:{port}/{}/{round}", host(n), path(n))));
    run::submit(&log, urls)?;
    let mut since = None;
    run::until(&log, vec![fetcher::worker(config(DELAY))?], |running| {
        let is_taken_in = running.roles().iter().all(|(_, progress)| progress.records() > 0);
        let since = since.get_or_insert_with(Instant::now);
        if !is_taken_in {
            *since = Instant::now();
        }
        Ok(since.elapsed() >= SLOW)
    })?;
    let first = host(0).to_string();
    let pages = log.read(wire::Topic::Pages.name(), 0, usize::MAX)?;
    let is_fast = |record: &&pipeline::Record| {
        let page =
            wire::decode::<wire::Page>(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
        page.request.is_some_and(|request| !request.url.contains(&format!("//{first}:")))
    };
    println!("pages {}", pages.iter().filter(is_fast).count());
    Ok(())
}
