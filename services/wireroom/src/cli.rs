//! What can be typed.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use service::EXIT_CODES;

/// Streaming ingestion for news: URLs and reprints in, clean canonical articles out, each once.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process: inputs to canonical articles, as JSON lines
    #[command(after_help = EXIT_CODES)]
    Run(RunOptions),
    /// Run the fetcher on Kafka: requests in, pages out
    Fetcher {
        #[command(flatten)]
        args: service::Args,
        /// Run nothing: say what a fetcher would do with this URL now, and why. Asked is the one at --at, or the one on the
        /// folder --data (of `wireroom run --data`), running or not; by default the service on this machine
        #[arg(long, value_name = "URL")]
        explain: Option<String>,
        /// Where the fetcher to be asked serves /metrics
        #[arg(long, value_name = "HOST:PORT", requires = "explain")]
        at: Option<String>,
        /// The explanation as JSON
        #[arg(long, requires = "explain")]
        json: bool,
    },
    /// Run the extractor on Kafka: pages in, articles out
    Extractor(service::Args),
    /// Run the normalizer on Kafka: articles in, canonical articles and changes out
    Normalizer {
        #[command(flatten)]
        args: service::Args,
        /// Run one of its roles alone (`prepare` scales, `cluster` decides)
        #[arg(long)]
        role: Option<NormalizerRole>,
    },
    /// The extractor as a filter: {"id","url","html"} lines in, articles as JSON lines out
    #[command(after_help = EXIT_CODES)]
    Extract {
        /// Where the lines are (default: standard input)
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// The normalizer as a filter: {"id","url","title","text","published_at"} lines, or canonical records, in; clusters and
    /// relations out
    #[command(
        after_help = format!("Each line is judged as on its arrival, by those before it: sort them by date first.\n\n{EXIT_CODES}")
    )]
    Cluster(ClusterOptions),
    /// Make or check the topics on Kafka
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Put inputs into the pipeline and return at once
    #[command(after_help = EXIT_CODES)]
    Submit(SubmitOptions),
    /// Publish articles no longer, by address or domain; or take them down, with every trace of their text
    #[command(after_help = EXIT_CODES)]
    Withdraw(WithdrawOptions),
    /// The outlets that are watched: import lists of them, show them, find what is wrong
    #[command(subcommand)]
    Sources(SourcesCommand),
    /// Show records of a topic, as JSON lines
    Tail(TailOptions),
    /// List, show or replay what could not be processed
    Deadletters {
        #[command(subcommand)]
        command: DeadlettersCommand,
        #[command(flatten)]
        at: Place,
    },
    /// Read the configuration, say what is wrong with it, start nothing
    #[command(after_help = EXIT_CODES)]
    CheckConfig(service::Args),
}

#[derive(Debug, clap::Args)]
pub struct ClusterOptions {
    /// Say of two articles of the input, by their ids, what they are to each other, by which rule or for want of what, and
    /// which passages they share
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub explain: Option<Vec<String>>,
    /// The explanation as JSON
    #[arg(long, requires = "explain")]
    pub json: bool,
    /// Where the lines are (default: standard input)
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct RunOptions {
    /// A URL of an article, feed or sitemap; a file of URLs; a text or HTML document (a reprint); a folder; - (standard
    /// input: URLs, or one document)
    #[arg(required_unless_present = "sources", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Watch the outlets of this list, too; it may be changed while it is watched (see `wireroom sources`)
    #[arg(long, value_name = "FILE", requires = "follow")]
    pub sources: Option<PathBuf>,
    /// Where the canonical articles go, as JSON lines: at the end all that the log holds (with --data those of earlier runs,
    /// too; on Kafka this run's), with --follow each version appended as it comes, as by `wireroom tail`
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Keep the log and its state here: a run that was cut off goes on, and later runs know earlier articles
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run on Kafka instead of the embedded log; topics that are missing are made
    #[arg(long, value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// First part of topics and groups on Kafka
    #[arg(long)]
    pub prefix: Option<String>,
    /// Do not end when all is done: go on taking submissions until stopped
    #[arg(long)]
    pub follow: bool,
    /// HTTP proxy for everything fetched
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Further certificate authorities to trust (PEM)
    #[arg(long, value_name = "FILE")]
    pub extra_ca: Option<PathBuf>,
    /// Least time between two requests to one host (default 1s)
    #[arg(long, value_parser = humantime::parse_duration)]
    pub delay: Option<Duration>,
    /// How long to go on trying what fails, from its first failure (default 30s; with --follow 7days)
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub give_up_after: Option<Duration>,
    /// Allow private, loopback and link-local addresses
    #[arg(long)]
    pub allow_private: bool,
    /// Survive a power loss, not only a crash (embedded log; slower)
    #[arg(long)]
    pub fsync: bool,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "WIREROOM_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Where the topics are: on Kafka, or in a data folder (of a running process or a stopped one).
#[derive(Debug, clap::Args)]
pub struct Place {
    /// The data folder of `wireroom run --data`, running or not
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Kafka, as host:port
    #[arg(long, value_name = "HOST:PORT", global = true)]
    pub kafka: Option<String>,
    /// First part of topics and groups on Kafka
    #[arg(long, global = true)]
    pub prefix: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "WIREROOM_CONFIG", global = true)]
    pub config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct SubmitOptions {
    /// As for `wireroom run`
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Take pages from archives (.warc, .warc.gz, folders of them) through the extractor again, instead of fetching
    #[arg(long)]
    pub reextract: bool,
    /// Fetch again also what was fetched lately
    #[arg(long, conflicts_with = "reextract")]
    pub refetch: bool,
    #[command(flatten)]
    pub at: Place,
    /// The outlet or feed they come from
    #[arg(long, default_value = "")]
    pub source_id: String,
    /// A label to put on the articles; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Higher goes first within a host
    #[arg(long, default_value_t = 0)]
    pub priority: i32,
    /// Behind everything live
    #[arg(long)]
    pub backfill: bool,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("for_good").args(["takedown", "lift"])))]
pub struct WithdrawOptions {
    /// Addresses of articles
    #[arg(required_unless_present = "domains", value_name = "URL")]
    pub urls: Vec<String>,
    /// Everything published so far under a registrable domain (with --takedown: from now on, too); may be given several
    /// times
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// Delete the text as well, at once, also from the store of bodies and the archive of the configuration, and do not
    /// publish it again. What is interrupted is done by giving the same order again
    #[arg(long)]
    pub takedown: bool,
    /// Rewrite these archives without it, too (.warc, .warc.gz, folders of them), and let nothing of it into the folders
    /// among them; may be given several times
    #[arg(long = "archive", value_name = "PATH", requires = "for_good")]
    pub archives: Vec<PathBuf>,
    /// Lift withdrawals and takedowns
    #[arg(long, conflicts_with = "takedown")]
    pub lift: bool,
    /// Stands on the records
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    #[command(flatten)]
    pub at: Place,
}

#[derive(Debug, clap::Args)]
pub struct TailOptions {
    /// canonical, changes, articles, pages, requests, prepared
    #[arg(default_value = "canonical")]
    pub topic: String,
    #[command(flatten)]
    pub at: Place,
    /// Begin at the first record, not at the end
    #[arg(long)]
    pub from_beginning: bool,
    /// Stop at the present end instead of waiting for more
    #[arg(long)]
    pub no_follow: bool,
    /// Stop after so many records
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How canonical records are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As they are
    Json,
    /// IPTC ninjs 3.1
    Ninjs,
    /// schema.org NewsArticle
    Jsonld,
}

#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Make one sources.toml of lists of feeds (OPML), tables (CSV) and other sources.toml
    Import {
        /// Told apart by their endings (.opml, .xml, .csv, .toml). A table's first line names its columns: id, name, feeds,
        /// sitemaps, sections (several addresses set off by spaces), country, language, delay, daily_quota, priority, trust,
        /// sponsored, paused
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Where it goes; - is standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        out: PathBuf,
    },
    /// One line for each outlet: id, lists, quota, and whether it is paused
    List {
        #[arg(value_name = "FILE", default_value = "sources.toml")]
        file: PathBuf,
        /// As JSON lines, with everything known of each
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with a list
    #[command(after_help = EXIT_CODES)]
    Check {
        #[arg(value_name = "FILE", default_value = "sources.toml")]
        file: PathBuf,
        /// Read every feed, sitemap and section once, too, as the fetcher would
        #[arg(long)]
        fetch: bool,
        /// HTTP proxy for everything fetched
        #[arg(long, value_name = "URL")]
        proxy: Option<String>,
        /// Allow private, loopback and link-local addresses
        #[arg(long)]
        allow_private: bool,
        /// Configuration file (TOML)
        #[arg(long, value_name = "FILE", env = "WIREROOM_CONFIG")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Make the topics that are missing
    Create(service::Args),
    /// Say what differs from what should be
    #[command(after_help = EXIT_CODES)]
    Check(service::Args),
}

#[derive(Debug, Subcommand)]
pub enum DeadlettersCommand {
    /// One line each: stage, offset, reason, detail
    List {
        /// Only those with this reason
        #[arg(long)]
        reason: Option<String>,
    },
    /// One in full, as JSON: headers, key, value
    Show {
        /// As `list` prints it: STAGE/PARTITION/OFFSET
        id: String,
    },
    /// Put them back where they came from, headers and bytes as they were
    Replay {
        /// As `list` prints them
        #[arg(required_unless_present = "reason")]
        ids: Vec<String>,
        /// All with this reason
        #[arg(long, conflicts_with = "ids")]
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum NormalizerRole {
    Prepare,
    Cluster,
}
