"""What each alert fires on, and what it stays silent on: (series that fire, series that do not, labels of what fires: several
where several do). And what is recorded of which series.

A series is written as promtool reads it; a step is a minute, and it is looked after as many as are said.
"""

AGES = "wireroom_normalizer_freshness_seconds"


def ages(since: str, bound: str, in_time: int, minutes: int) -> dict[str, str]:
    """A hundred articles a minute, of which so many are in time."""
    bucket, count = f'{AGES}_bucket{{since="{since}",le="{bound}"}}', f'{AGES}_count{{since="{since}"}}'
    return {bucket: f"0+{in_time}x{minutes}", count: f"0+100x{minutes}"}


def daily(name: str, labels: str, before: int, after: int) -> dict[str, str]:
    """A counter that grows by so much a minute for a day, and by another measure for two hours."""
    return {f"{name}{{{labels}}}": f"0+{before}x1440 {before * 1440}+{after}x120"}


def held(role: str, instance: str = "a") -> str:
    """How many partitions an instance of a role holds."""
    return f'wireroom_partitions_assigned{{role="{role}",instance="{instance}"}}'


def queued(instance: str, requests: int) -> dict[str, str]:
    """How much waits in memory at an instance of the fetcher that takes a hundred."""
    labels = f'{{instance="{instance}"}}'
    return {f"wireroom_fetcher_queued{labels}": f"{requests}x40", f"wireroom_fetcher_max_queued{labels}": "100x40"}


CONSUMED = {'wireroom_records_consumed_total{role="extractor"}': "0+100x1600"}
DEAD, FIELDS = "wireroom_dead_letters_total", "wireroom_extractor_fields_present_total"
DOCUMENTS = {'wireroom_extractor_documents_total{verdict="article"}': "0+100x1600"}
PAGES = 'wireroom_fetcher_pages_total{outcome="new"}'
PUBLISHED = 'wireroom_normalizer_publications_total{change="created"}'
REQUESTS = 'wireroom_fetcher_requests_total{{kind="page",status_class="{}"}}'
BUILD = 'wireroom_build_info{instance="a"}'
DAY = 1440

# alert: (minutes, fires, silent, labels)
CASES = {
    "WireroomLatencyBudgetBurnsFast": (90, ages("fetched", "60", 80, 100), ages("fetched", "60.0", 90, 100), {}),
    "WireroomLatencyBudgetBurnsSlowly": (400, ages("fetched", "60.0", 92, 420), ages("fetched", "60", 96, 420), {}),
    "WireroomFreshnessBudgetBurns": (400, ages("published", "600", 60, 420), ages("published", "600", 80, 420), {}),
    "WireroomStalled": (30, {PAGES: "0+10x40"}, {PAGES: "0+10x40", PUBLISHED: "0+1x40"}, {}),
    "WireroomRoleStalled": (
        30,
        {'wireroom_lag_records{role="extractor"}': "5x40", 'wireroom_steps_total{role="extractor"}': "7x40"},
        {'wireroom_lag_records{role="extractor"}': "5x40", 'wireroom_steps_total{role="extractor"}': "0+1x40"},
        {"role": "extractor"},
    ),
    "WireroomLagGrows": (
        60,
        {'wireroom_lag_records{role="prepare"}': "10000+100x70"},
        {'wireroom_lag_records{role="prepare"}': "90000-100x70", 'wireroom_lag_records{role="extractor"}': "0+100x70"},
        {"role": "prepare"},
    ),
    "WireroomBehind": (
        60,
        {'wireroom_lag_records{role="extractor"}': "2000x70", **CONSUMED},
        {'wireroom_lag_records{role="extractor"}': "900x70", **CONSUMED},
        {"role": "extractor"},
    ),
    "WireroomDeadLetters": (
        DAY + 110,
        {**daily(DEAD, 'role="extractor",reason="verdict"', 10, 30), **CONSUMED},
        {**daily(DEAD, 'role="extractor",reason="verdict"', 10, 20), **CONSUMED},
        {"role": "extractor"},
    ),
    "WireroomStepsFail": (
        30,
        {'wireroom_retries_total{role="cluster"}': "0+1x40", 'wireroom_steps_total{role="cluster"}': "0+2x40"},
        {'wireroom_retries_total{role="cluster"}': "0+1x40", 'wireroom_steps_total{role="cluster"}': "0+20x40"},
        {"role": "cluster"},
    ),
    "WireroomFetchErrors": (
        60,
        {REQUESTS.format("2xx"): "0+60x70", REQUESTS.format("timeout"): "0+20x70", REQUESTS.format("5xx"): "0+20x70"},
        {REQUESTS.format("2xx"): "0+60x70", REQUESTS.format("3xx"): "0+20x70", REQUESTS.format("5xx"): "0+20x70"},
        {},
    ),
    "WireroomThrottled": (
        60,
        {REQUESTS.format("2xx"): "0+90x70", REQUESTS.format("429"): "0+10x70"},
        {REQUESTS.format("2xx"): "0+96x70", REQUESTS.format("429"): "0+4x70", REQUESTS.format("4xx"): "0+10x70"},
        {},
    ),
    "WireroomQueueFull": (
        30,
        {**queued("a", 92), **queued("b", 20)},
        {**queued("a", 85), 'wireroom_fetcher_queued{instance="c"}': "95x40"},
        {"instance": "a"},
    ),
    "WireroomHostsFail": (
        60,
        {"wireroom_fetcher_hosts": "100x70", "wireroom_fetcher_failing_hosts": "40x70"},
        {"wireroom_fetcher_hosts": "8x70", "wireroom_fetcher_failing_hosts": "8x70"},
        {},
    ),
    "WireroomFrontierOverdue": (
        30,
        {"wireroom_fetcher_due_lag_seconds": "400x40"},
        {"wireroom_fetcher_due_lag_seconds": "400x10 5x40"},
        {},
    ),
    "WireroomSourcesWrong": (15, {"wireroom_fetcher_sources_wrong": "1x20"}, {"wireroom_fetcher_sources_wrong": "0x20"}, {}),
    "WireroomKeepFails": (
        30,
        {'wireroom_fetcher_keep_errors_total{place="store"}': "0+1x40"},
        {'wireroom_fetcher_keep_errors_total{place="store"}': "7x40"},
        {"place": "store"},
    ),
    "WireroomExtractionDropped": (
        DAY + 110,
        {**daily(FIELDS, 'field="authors"', 80, 40), **DOCUMENTS},
        {**daily(FIELDS, 'field="authors"', 80, 70), **DOCUMENTS},
        {"field": "authors"},
    ),
    "WireroomTargetDown": (
        15,
        {'up{job="wireroom",instance="a:9464"}': "0x20"},
        {'up{job="wireroom",instance="a:9464"}': "1x20", 'up{job="other",instance="b:1"}': "0x20"},
        {"job": "wireroom", "instance": "a:9464"},
    ),
    "WireroomRoleMissing": (
        15,
        {BUILD: "1x20", held("fetcher"): "3x20", held("prepare"): "3x20", held("cluster", "a"): "0x20", held("cluster", "b"): "0x20", held("extractor"): "3x5 stale"},
        {BUILD: "1x20", held("fetcher"): "3x20", held("prepare"): "3x20", held("cluster", "a"): "0x20", held("cluster", "b"): "1x20", held("extractor"): "3x20"},
        [{"role": "cluster"}, {"role": "extractor"}],
    ),
}

LAG = {'wireroom_lag_records{role="extractor",instance="a"}': "200x70", 'wireroom_lag_records{role="extractor",instance="b"}': "100x70"}

# recorded: (minutes, series, labels, value)
RECORDED = {
    **{
        f"wireroom:late_after_fetch:ratio_rate{window}": (400, ages("fetched", bound, 80, 420), "", 0.2)
        for window, bound in [("5m", "60"), ("30m", "60.0"), ("1h", "60"), ("6h", "60.0")]
    },
    **{
        f"wireroom:late_after_publication:ratio_rate{window}": (400, ages("published", bound, 70, 420), "", 0.3)
        for window, bound in [("1h", "600"), ("6h", "600.0")]
    },
    "wireroom:published:rate5m": (60, ages("fetched", "60", 80, 70), '{since="fetched"}', 1.667),
    "wireroom:published_in_time:rate5m": (60, ages("published", "600.0", 60, 70), '{since="published"}', 1),
    # A quiet day with all in time, and ten hours with ten times as much, a fifth of it late.
    "wireroom:late:ratio30d": (
        DAY + 600,
        {f'{AGES}_count{{since="fetched"}}': "0+10x1440 14400+100x600", f'{AGES}_bucket{{since="fetched",le="60"}}': "0+10x1440 14400+80x600"},
        '{since="fetched"}',
        0.161,
    ),
    "wireroom:lag_records:sum": (60, LAG, '{role="extractor"}', 300),
    # A hundred a minute.
    "wireroom:lag_seconds:estimate": (60, {**LAG, **CONSUMED}, '{role="extractor"}', 180),
    "wireroom:dead_letters:share1h": (
        90,
        {f'{DEAD}{{role="extractor",reason="{reason}"}}': "0+10x100" for reason in ("verdict", "gone")} | CONSUMED,
        '{role="extractor"}',
        0.2,
    ),
    "wireroom:fields_present:ratio1h": (90, {f'{FIELDS}{{field="authors"}}': "0+80x100", **DOCUMENTS}, '{field="authors"}', 0.8),
}
