"""The dashboards: as they are made, of metrics that are there, in a language that Prometheus reads."""

import json
import re
import subprocess

import pytest
import yaml
from dashboards import HOME, dashboards
from helm import CHART, ROOT

RULES = yaml.safe_load((CHART / "rules" / "wireroom.yaml").read_text())
RECORDED = {rule["record"] for group in RULES["groups"] for rule in group["rules"] if "record" in rule}
METRICS = set(re.findall(r"^\| `(\w+)`", (ROOT / "services" / "METRICS.md").read_text(), re.M))
PANELS = [
    (path, panel)
    for path, text in dashboards().items()
    for panel in json.loads(text)["panels"]
    if panel["type"] != "row"
]


def expressions():
    return [target["expr"] for _, panel in PANELS for target in panel["targets"]]


def test_they_are_as_they_are_made():
    assert {path.name: path.read_text() for path in HOME.glob("*.json")} == dashboards(), "run tests/ops/dashboards.py"


def test_every_panel_says_what_it_shows():
    for path, panel in PANELS:
        assert panel["description"].endswith(".") and panel["fieldConfig"]["defaults"]["unit"], (path, panel["title"])
        assert all(target["legendFormat"] for target in panel["targets"]), (path, panel["title"])


def test_no_panel_lies_on_another():
    for path, text in dashboards().items():
        taken = set()
        for place in (panel["gridPos"] for panel in json.loads(text)["panels"]):
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            assert max(x for x, _ in cells) < 24 and not cells & taken, (path, place)
            taken |= cells


def test_prometheus_reads_every_expression(tmp_path):
    plain = [re.sub(r"\$(namespace|job|instance)", ".*", each.replace("$__rate_interval", "5m")) for each in expressions()]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(plain)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    ran = subprocess.run(["promtool", "check", "rules", tmp_path / "panels.yaml"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("pattern, known", [(r"\b(wireroom_\w+|process_\w+)", METRICS), (r"\b(wireroom:[\w:]+)", RECORDED)])
def test_what_they_show_is_there(pattern, known):
    asked = {name for expression in expressions() for name in re.findall(pattern, expression)}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} - known == set()


def test_nothing_is_shown_where_there_is_nothing():
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    # A number of no series, which would pass for data.
    assert [expression for expression in expressions() + rules if "vector(" in expression] == []


def test_every_metric_is_shown_or_said_why_not():
    # The rest of the story of a metric that is shown, or what only an alert asks for.
    unseen = {
        "process_start_time_seconds", "process_threads", "process_virtual_memory_bytes",
        "wireroom_fetcher_known_total", "wireroom_fetcher_retries_total", "wireroom_fetcher_sources_wrong",
        "wireroom_lag_records", "wireroom_records_produced_total", "wireroom_extractor_fields_present_total",
        "wireroom_normalizer_freshness_seconds",
    }
    shown = {re.sub("_(bucket|count|sum)$", "", name) for each in expressions() for name in re.findall(r"\w+", each)}
    assert METRICS - shown - unseen == set()
