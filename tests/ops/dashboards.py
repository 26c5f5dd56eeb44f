"""The dashboards of Grafana, made from the table below: `tests/ops/dashboards.py` writes them."""

import json
import re

from helm import CHART

HOME = CHART / "dashboards"


def rate(metric: str, by: str = "", labels: str = "", of: str = "rate") -> str:
    """The sum of a counter's rate."""
    return f"sum{f' by ({by})' if by else ''} ({of}({metric}{{{labels}}}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "", labels: str = "") -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', ', '.join(filter(None, ['le', by])), labels)})"


def quantiles(metric: str, by: str = "", labels: str = "") -> list[tuple[str, str]]:
    named = f" {{{{{by}}}}}" if by else ""
    return [(quantile(share, metric, by, labels), f"p{int(share * 100)}{named}") for share in (0.5, 0.99)]


FRESHNESS = "wireroom_normalizer_freshness_seconds"
REQUESTS, PAGES, THROTTLED = "wireroom_fetcher_requests_total", 'kind="page"', ',status_class="429"'
LATE = "wireroom:late_after_fetch:ratio_rate1h"
LATE_PUBLISHED = "wireroom:late_after_publication:ratio_rate1h"

# File: (title, [(row, [(title, what it says, unit, [(expression, legend)], kind)])]). A kind is `line`, `stack` or `stat`.
DASHBOARDS = {
    "overview": ("Wireroom", [
        ("Promise", [
            ("Published within a minute of the fetch", "The last hour's share; the promise is 99 %.", "percentunit", [(f"1 - {LATE}", "in time")], "stat"),
            ("Budget of delay after the fetch", "What is left of the 1 % of thirty days' articles that may be late: below 0 the promise is broken.", "percentunit", [("1 - wireroom:late:ratio30d{since=\"fetched\"} / 0.01", "left")], "stat"),
            ("Published within ten minutes of publication", "The last hour's share; the promise is 95 %.", "percentunit", [(f"1 - {LATE_PUBLISHED}", "in time")], "stat"),
            ("Budget of delay after publication", "What is left of the 5 % of thirty days' articles that may be late.", "percentunit", [("1 - wireroom:late:ratio30d{since=\"published\"} / 0.05", "left")], "stat"),
            ("From an instant to the canonical record", "How old articles are when their first record is written.", "s", quantiles(FRESHNESS, "since"), "line"),
        ]),
        ("Flow", [
            ("Canonical records", "What is written to the topics canonical and changes.", "ops", [(rate("wireroom_normalizer_publications_total", "change"), "{{change}}")], "stack"),
            ("Records read", "By role. In a steady state they follow each other.", "ops", [(rate("wireroom_records_consumed_total", "role"), "{{role}}")], "line"),
            ("Records not read yet", "Of the partitions that somebody holds.", "short", [("wireroom:lag_records:sum", "{{role}}")], "line"),
            ("Time behind", "The records not read yet, at the rate of the last ten minutes.", "s", [("wireroom:lag_seconds:estimate", "{{role}}")], "line"),
            ("Dead letters", "By role and reason. Pages that are no articles end here, too.", "ops", [(rate("wireroom_dead_letters_total", "role, reason"), "{{role}} {{reason}}")], "stack"),
            ("Steps tried again", "Aborted transactions, and brokers or stores that do not answer.", "ops", [(rate("wireroom_retries_total", "role"), "{{role}}")], "line"),
        ]),
    ]),
    "fetcher": ("Wireroom: fetcher", [
        ("Pages", [
            ("Pages", "What visits found.", "ops", [(rate("wireroom_fetcher_pages_total", "outcome"), "{{outcome}}")], "stack"),
            ("Answers to requests for pages", "By status, or by the reason of the failure.", "ops", [(rate("wireroom_fetcher_requests_total", "status_class", 'kind="page"'), "{{status_class}}")], "stack"),
            ("Time of a request", "Until the end of its answer.", "s", quantiles("wireroom_fetcher_fetch_seconds"), "line"),
            ("Time until a page is asked for", "From the request's submission or discovery: what politeness and the queue cost.", "s", quantiles("wireroom_fetcher_wait_seconds"), "line"),
            ("Bytes received", "Of bodies, as they were sent.", "Bps", [(rate("wireroom_fetcher_received_bytes_total"), "received")], "line"),
        ]),
        ("Frontier", [
            ("Requests that wait", "Not what is watched or revisited.", "short", [("sum by (lane) (wireroom_fetcher_frontier_depth)", "{{lane}}")], "stack"),
            ("Time overdue", "How long the host whose turn came last had been due. It grows when more is due than can be asked.", "s", [("max by (instance) (wireroom_fetcher_due_lag_seconds)", "{{instance}}")], "line"),
            ("Hosts", "Of which something is wanted, and that failed when last asked.", "short", [("sum(wireroom_fetcher_hosts)", "wanted"), ("sum(wireroom_fetcher_failing_hosts)", "failing")], "line"),
            ("Being asked", "Hosts now, by instance, and as many as may be.", "short", [("sum by (instance) (wireroom_fetcher_in_flight)", "{{instance}}"), ("max(wireroom_fetcher_max_in_flight)", "bound")], "line"),
            ("Memory of bodies", "Reserved for what is being asked or not committed yet, and as much as may be.", "bytes", [("sum by (instance) (wireroom_fetcher_in_flight_bytes)", "{{instance}}"), ("max(wireroom_fetcher_max_in_flight_bytes)", "bound")], "line"),
            ("Queue", "How full it is, by instance. Full, it takes no more in.", "percentunit", [("sum by (instance) (wireroom_fetcher_queued) / sum by (instance) (wireroom_fetcher_max_queued)", "{{instance}}")], "line"),
            ("Asked too often", "The share of requests for pages that are answered 429.", "percentunit", [(f'{rate(REQUESTS, labels=PAGES + THROTTLED)} / {rate(REQUESTS, labels=PAGES)}', "429")], "line"),
            ("Refused", "URLs that robots.txt disallows, and addresses that are not public.", "ops", [(rate("wireroom_fetcher_robots_denied_total"), "robots.txt"), (rate("wireroom_fetcher_ssrf_blocked_total"), "not public")], "line"),
        ]),
        ("Discovery", [
            ("Lists read", "Feeds, sitemaps and sections.", "ops", [(rate("wireroom_fetcher_lists_read_total", "outcome"), "{{outcome}}")], "stack"),
            ("Addresses found", "By where they stood.", "ops", [(rate("wireroom_fetcher_discovered_total", "via"), "{{via}}")], "stack"),
            ("Silent lists", "Nothing comes from them against their rhythm.", "short", [("sum by (cause) (wireroom_fetcher_silent_lists)", "{{cause}}")], "stack"),
            ("Hubs", "What was said to WebSub hubs, and by them.", "ops", [(rate("wireroom_fetcher_websub_total", "event"), "{{event}}")], "stack"),
            ("Bodies kept", "In the archive and in the store.", "Bps", [(rate("wireroom_fetcher_kept_bytes_total", "place"), "{{place}}")], "line"),
            ("Bodies that could not be kept", "Their pages are fetched again.", "ops", [(rate("wireroom_fetcher_keep_errors_total", "place"), "{{place}}")], "line"),
        ]),
    ]),
    "extractor": ("Wireroom: extractor", [
        ("Documents", [
            ("Verdicts", "What pages were judged to be. Only articles and marked teasers go on.", "ops", [(rate("wireroom_extractor_documents_total", "verdict"), "{{verdict}}")], "stack"),
            ("Fields found", "The share of documents that have them, over the last hour. A fall tells of sites that changed.", "percentunit", [("wireroom:fields_present:ratio1h", "{{field}}")], "line"),
            ("Time of a document", "Its body at hand.", "s", quantiles("wireroom_extractor_page_seconds"), "line"),
            ("Doubts a document", "Warnings noted on what was extracted.", "short", [(f"{rate('wireroom_extractor_warnings_total')} / {rate('wireroom_extractor_documents_total')}", "warnings")], "line"),
            ("Encodings", "What told them. Guesses that become many are of servers and templates that say what is not so.", "ops", [(rate("wireroom_extractor_charsets_total", "via"), "{{via}}")], "stack"),
            ("Read and found", "Bytes of documents, inflated, and of the texts in them.", "Bps", [(rate("wireroom_extractor_read_bytes_total"), "read"), (rate("wireroom_extractor_text_bytes_total"), "text")], "line"),
        ]),
    ]),
    "normalizer": ("Wireroom: normalizer", [
        ("Decisions", [
            ("Articles decided on", "By what they are to the original of their story.", "ops", [(rate("wireroom_normalizer_arrivals_total", "relation"), "{{relation}}")], "stack"),
            ("Records written", "By why.", "ops", [(rate("wireroom_normalizer_publications_total", "change"), "{{change}}")], "stack"),
            ("Articles compared with an arrival", "Candidates of the index of near-duplicates.", "short", quantiles("wireroom_normalizer_candidates"), "line"),
            ("Articles in the window", "Among which near-duplicates are looked for.", "short", [("sum(wireroom_normalizer_window_articles)", "articles")], "line"),
            ("Deciders", "Instances that hold a partition. The others stand by.", "short", [('sum by (instance) (wireroom_partitions_assigned{role="cluster"})', "{{instance}}")], "stack"),
            ("Time of a step", "Of the decider.", "s", quantiles("wireroom_processing_seconds", labels='role="cluster"'), "line"),
        ]),
    ]),
    "runtime": ("Wireroom: Kafka and runtime", [
        ("Kafka", [
            ("Time of a commit", "A transaction, or a batch of the embedded log.", "s", quantiles("wireroom_commit_seconds", "role"), "line"),
            ("Time of a step's work", "Until its results are in memory.", "s", quantiles("wireroom_processing_seconds", "role"), "line"),
            ("Steps", "Committed.", "ops", [(rate("wireroom_steps_total", "role"), "{{role}}")], "line"),
            ("Changes of assignment", "Partitions that came or went.", "short", [(rate("wireroom_rebalances_total", "role", of="increase"), "{{role}}")], "line"),
            ("Partitions held", "By role and instance.", "short", [("sum by (role, instance) (wireroom_partitions_assigned)", "{{role}} {{instance}}")], "stack"),
            ("Since the last step", "Of a role that has had one.", "s", [("time() - max by (role) (wireroom_last_step_timestamp_seconds > 0)", "{{role}}")], "line"),
        ]),
        ("Processes", [
            ("CPU", "Cores.", "short", [(rate("process_cpu_seconds_total", "instance"), "{{instance}}")], "line"),
            ("Memory", "Resident.", "bytes", [("sum by (instance) (process_resident_memory_bytes)", "{{instance}}")], "line"),
            ("State on disk", "Of the partitions held.", "bytes", [("sum by (role, instance) (wireroom_state_bytes)", "{{role}} {{instance}}")], "stack"),
            ("Open files", "The share of those that may be.", "percentunit", [("process_open_fds / process_max_fds", "{{instance}}")], "line"),
            ("Versions", "Of the program that runs.", "short", [("count by (version) (wireroom_build_info)", "{{version}}")], "stat"),
        ]),
    ]),
}

OWN = re.compile(r"\b((?:wireroom|process)_\w+|wireroom:[\w:]+)(\{)?")


def selected(expression: str) -> str:
    """The expression over what the variables of the dashboard choose."""
    one = 'namespace=~"$namespace"'

    def choose(found: re.Match) -> str:
        # What is recorded is of a whole namespace.
        chosen = one if ":" in found[1] else f'{one},job=~"$job",instance=~"$instance"'
        return f"{found[1]}{{{chosen}{',' if found[2] else '}'}"

    return OWN.sub(choose, expression).replace(",}", "}")


def dashboards() -> dict[str, str]:
    """The texts of the dashboards, by their file names."""
    return {f"{name}.json": json.dumps(dashboard(name, *of), indent=1) + "\n" for name, of in DASHBOARDS.items()}


def dashboard(name: str, title: str, rows: list) -> dict:
    panels, top = [], 0
    for row, of_row in rows:
        panels.append({"type": "row", "title": row, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}})
        top += 1
        left = 0
        for name_of_panel, says, unit, queries, kind in of_row:
            width, height = (6, 4) if kind == "stat" else (12, 8)
            if left + width > 24:
                left, top = 0, top + height
            panels.append(panel(name_of_panel, says, unit, queries, kind, {"x": left, "y": top, "w": width, "h": height}))
            left += width
            if left == 24:
                left, top = 0, top + height
        top += 8 if left else 0
    for number, each in enumerate(panels, 1):
        each["id"] = number
    return {
        "uid": f"wireroom-{name}",
        "title": title,
        "tags": ["wireroom"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["wireroom"], "asDropdown": True, "title": "Wireroom", "keepTime": True, "includeVars": True}],
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
            *(variable(label, query) for label, query in [
                ("namespace", "wireroom_build_info"),
                ("job", 'wireroom_build_info{namespace=~"$namespace"}'),
                ("instance", 'wireroom_build_info{namespace=~"$namespace",job=~"$job"}'),
            ]),
        ]},
        "panels": panels,
    }


def variable(label: str, metric: str) -> dict:
    query = f"label_values({metric}, {label})"
    # Without Kubernetes there is no namespace: then all of them is none.
    every = {"includeAll": True, "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    source = {"type": "prometheus", "uid": "$datasource"}
    return {"name": label, "label": label.capitalize(), "type": "query", "datasource": source, "query": query, "refresh": 2, **every}


def panel(title: str, says: str, unit: str, queries: list, kind: str, place: dict) -> dict:
    source = {"type": "prometheus", "uid": "$datasource"}
    targets = [
        {"refId": chr(ord("A") + at), "datasource": source, "expr": selected(expression), "legendFormat": legend}
        for at, (expression, legend) in enumerate(queries)
    ]
    custom = {"fillOpacity": 20, "stacking": {"mode": "normal"}} if kind == "stack" else {}
    return {
        "type": "stat" if kind == "stat" else "timeseries",
        "title": title,
        "description": says,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "custom": custom} if custom else {"unit": unit}, "overrides": []},
        "targets": targets,
    }


if __name__ == "__main__":
    HOME.mkdir(exist_ok=True)
    for path, text in dashboards().items():
        (HOME / path).write_text(text)
