//! The list.

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

declare! {
    "every process" {
        /// Always 1; says which version runs.
        BUILD_INFO: IntGaugeVec = "wireroom_build_info" [version: "of the program"] in "1";
    }
    "every role" {
        /// Records read.
        RECORDS_CONSUMED: IntCounterVec = "wireroom_records_consumed_total" [role: "of the process"] in "records";
        /// Records written; not dead letters.
        RECORDS_PRODUCED: IntCounterVec = "wireroom_records_produced_total" [role: "of the process"] in "records";
        /// Records given up on.
        DEAD_LETTERS: IntCounterVec = "wireroom_dead_letters_total"
            [role: "of the process", reason: "words fixed in the code"] in "records";
        /// Steps committed.
        STEPS: IntCounterVec = "wireroom_steps_total" [role: "of the process"] in "steps";
        /// Steps that did not happen and were tried again: aborted transactions, brokers or stores that do not answer.
        RETRIES: IntCounterVec = "wireroom_retries_total" [role: "of the process"] in "steps";
        /// Changes of assignment.
        REBALANCES: IntCounterVec = "wireroom_rebalances_total" [role: "of the process"] in "changes";
        /// Partitions held.
        PARTITIONS_ASSIGNED: IntGaugeVec = "wireroom_partitions_assigned" [role: "of the process"] in "partitions";
        /// Records of the partitions held that are not read yet.
        LAG_RECORDS: IntGaugeVec = "wireroom_lag_records" [role: "of the process"] in "records";
        /// When a step was last committed; 0 before the first.
        LAST_STEP: IntGaugeVec = "wireroom_last_step_timestamp_seconds" [role: "of the process"] in "Unix seconds";
        /// Local state of the partitions held, on disk; measured with a step, every ten seconds at most.
        STATE_BYTES: IntGaugeVec = "wireroom_state_bytes" [role: "of the process"] in "bytes";
        /// Time a step's work took.
        PROCESSING_SECONDS: HistogramVec = "wireroom_processing_seconds" [role: "of the process"] in "seconds"
            up to [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
        /// Time a step's commit took.
        COMMIT_SECONDS: HistogramVec = "wireroom_commit_seconds" [role: "of the process"] in "seconds"
            up to [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
    }
    "fetcher" {
        /// HTTP requests made.
        FETCHER_REQUESTS: IntCounterVec = "wireroom_fetcher_requests_total"
            [kind: "`page`, `robots`, `hub`", status_class: "`2xx`, `3xx`, `4xx`, `429` by itself, `5xx`, or the reason of the failure"] in "requests";
        /// Time from a request to the end of its answer.
        FETCHER_FETCH_SECONDS: Histogram = "wireroom_fetcher_fetch_seconds" [] in "seconds"
            up to [0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
        /// Bytes of bodies, as sent.
        FETCHER_RECEIVED_BYTES: IntCounter = "wireroom_fetcher_received_bytes_total" [] in "bytes";
        /// Hosts being asked now.
        FETCHER_IN_FLIGHT: IntGauge = "wireroom_fetcher_in_flight" [] in "hosts";
        /// As many hosts as may be asked at a time.
        FETCHER_MAX_IN_FLIGHT: IntGauge = "wireroom_fetcher_max_in_flight" [] in "hosts";
        /// Memory reserved for bodies of what is being asked, or not committed yet.
        FETCHER_IN_FLIGHT_BYTES: IntGauge = "wireroom_fetcher_in_flight_bytes" [] in "bytes";
        /// As much memory as may be reserved for bodies.
        FETCHER_MAX_IN_FLIGHT_BYTES: IntGauge = "wireroom_fetcher_max_in_flight_bytes" [] in "bytes";
        /// Requests that wait for their page; not what is watched or revisited.
        FETCHER_FRONTIER_DEPTH: IntGaugeVec = "wireroom_fetcher_frontier_depth" [lane: "`live`, `backfill`"] in "requests";
        /// Those of them that are in memory: of a host with more, the first 50,000.
        FETCHER_QUEUED: IntGauge = "wireroom_fetcher_queued" [] in "requests";
        /// With so many of these no more are taken in.
        FETCHER_MAX_QUEUED: IntGauge = "wireroom_fetcher_max_queued" [] in "requests";
        /// From a request's submission or discovery to the end of the first attempt at its page: how long hosts, and whoever
        /// waits for them, are kept waiting.
        FETCHER_WAIT_SECONDS: Histogram = "wireroom_fetcher_wait_seconds" [] in "seconds"
            up to [1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0];
        /// Hosts of which something is wanted, now or later.
        FETCHER_HOSTS: IntGauge = "wireroom_fetcher_hosts" [] in "hosts";
        /// Hosts that failed when last asked, and are left alone for longer each time.
        FETCHER_FAILING_HOSTS: IntGauge = "wireroom_fetcher_failing_hosts" [] in "hosts";
        /// How long the host whose turn came last had been due: grows when more is due than can be asked.
        FETCHER_DUE_LAG_SECONDS: IntGauge = "wireroom_fetcher_due_lag_seconds" [] in "seconds";
        /// Pages asked for: `new` where first found, else what a later visit found.
        FETCHER_PAGES: IntCounterVec = "wireroom_fetcher_pages_total"
            [outcome: "`new`, `unchanged`, `changed`, `moved`, `gone`, `failed`"] in "pages";
        /// Attempts that failed and will be repeated.
        FETCHER_RETRIES: IntCounter = "wireroom_fetcher_retries_total" [] in "attempts";
        /// Requests for what is queued already, or was fetched a short while ago.
        FETCHER_KNOWN: IntCounter = "wireroom_fetcher_known_total" [] in "requests";
        /// URLs that robots.txt disallows.
        FETCHER_ROBOTS_DENIED: IntCounter = "wireroom_fetcher_robots_denied_total" [] in "requests";
        /// Requests to addresses that are not public.
        FETCHER_SSRF_BLOCKED: IntCounter = "wireroom_fetcher_ssrf_blocked_total" [] in "requests";
        /// Readings of feeds, sitemaps and sections.
        FETCHER_LISTS_READ: IntCounterVec = "wireroom_fetcher_lists_read_total"
            [outcome: "`new`, `nothing_new`, `failed`"] in "readings";
        /// Addresses found and requested.
        FETCHER_DISCOVERED: IntCounterVec = "wireroom_fetcher_discovered_total"
            [via: "`feed`, `sitemap`, `section`, `redirect`, `memento`"] in "addresses";
        /// Lists from which nothing comes against their rhythm.
        FETCHER_SILENT_LISTS: IntGaugeVec = "wireroom_fetcher_silent_lists"
            [cause: "`gone`, `blocked`, `unparseable`, `empty`, `stale`, `unreachable`"] in "lists";
        /// 1 while the list of sources cannot be used, and its last good state stays.
        FETCHER_SOURCES_WRONG: IntGauge = "wireroom_fetcher_sources_wrong" [] in "0 or 1";
        /// What was said to hubs and by them.
        FETCHER_WEBSUB: IntCounterVec = "wireroom_fetcher_websub_total"
            [event: "`asked`, `refused`, `failed`, `verified`, `denied`, `delivered`, `forged`, `too_large`, `unknown`, `dropped`"]
            in "messages";
        /// Bytes of bodies that were kept.
        FETCHER_KEPT_BYTES: IntCounterVec = "wireroom_fetcher_kept_bytes_total" [place: "`archive`, `store`"] in "bytes";
        /// Bodies that could not be kept: their pages are fetched again.
        FETCHER_KEEP_ERRORS: IntCounterVec = "wireroom_fetcher_keep_errors_total" [place: "`archive`, `store`"] in "bodies";
    }
    "extractor" {
        /// Pages and documents read.
        EXTRACTOR_DOCUMENTS: IntCounterVec = "wireroom_extractor_documents_total"
            [verdict: "`article`, `liveblog`, `gallery`, `teaser`, `consent`, `challenge`, `script_shell`, `listing`, `error`, `parked`, `other`"] in "documents";
        /// Documents in which the field was found.
        EXTRACTOR_FIELDS_PRESENT: IntCounterVec = "wireroom_extractor_fields_present_total"
            [field: "`title`, `text`, `authors`, `published`, `language`"] in "documents";
        /// Documents, by what told their encoding.
        EXTRACTOR_CHARSETS: IntCounterVec = "wireroom_extractor_charsets_total"
            [via: "`bom` (byte order mark), `header`, `page`, `guess` (none of these, or the bytes belie it)"] in "documents";
        /// Doubts noted on what was extracted.
        EXTRACTOR_WARNINGS: IntCounter = "wireroom_extractor_warnings_total" [] in "warnings";
        /// Time a page or document took, its body at hand.
        EXTRACTOR_PAGE_SECONDS: Histogram = "wireroom_extractor_page_seconds" [] in "seconds"
            up to [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
        /// Bytes read, inflated.
        EXTRACTOR_READ_BYTES: IntCounter = "wireroom_extractor_read_bytes_total" [] in "bytes";
        /// Bytes of texts found in them.
        EXTRACTOR_TEXT_BYTES: IntCounter = "wireroom_extractor_text_bytes_total" [] in "bytes";
    }
    "cluster" {
        /// Articles decided on, by what they are to their story's original.
        NORMALIZER_ARRIVALS: IntCounterVec = "wireroom_normalizer_arrivals_total"
            [relation: "`original`, `copy`, `excerpt`, `extension`, `derived`, `taken_down` (it is refused)"] in "articles";
        /// Canonical records and tombstones written.
        NORMALIZER_PUBLICATIONS: IntCounterVec = "wireroom_normalizer_publications_total"
            [change: "`created`, `corrected`, `reprocessed`, `takeover`, `superseded`, `withdrawn`, `buried`"] in "records";
        /// Articles that an arrival was compared with.
        NORMALIZER_CANDIDATES: Histogram = "wireroom_normalizer_candidates" [] in "articles"
            up to [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];
        /// Arrivals that near-duplicates are looked for among.
        NORMALIZER_WINDOW_ARTICLES: IntGauge = "wireroom_normalizer_window_articles" [] in "articles";
        /// From an instant of an article to its first canonical record.
        NORMALIZER_FRESHNESS_SECONDS: HistogramVec = "wireroom_normalizer_freshness_seconds"
            [since: "`published` (where the page tells the time of day), `seen` (requested), `fetched`"] in "seconds"
            up to [1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0];
    }
}
