"""The rules of Prometheus, by promtool: each alert fires when it should, stays silent when it should, and has its page."""

import re
import subprocess

import pytest
import yaml
from helm import CHART, ROOT
from rules import CASES, CONSUMED, DEAD, RECORDED

RULES = CHART / "rules" / "wireroom.yaml"
ALL = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL if "alert" in rule}
RUNBOOKS = ROOT / "deploy" / "runbooks"


def promtool(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True)


def test_promtool_takes_the_rules():
    ran = promtool("check", "rules", "--lint-fatal", RULES)
    assert ran.returncode == 0, ran.stderr


def test_promtool_takes_the_configuration_of_compose():
    ran = promtool("check", "config", "--lint-fatal", ROOT / "deploy" / "prometheus" / "prometheus.yml")
    assert ran.returncode == 0, ran.stderr


def test_every_alert_has_a_case_and_a_page():
    assert CASES.keys() == ALERTS.keys() == {path.stem for path in RUNBOOKS.glob("*.md")}
    for name, alert in ALERTS.items():
        assert alert["annotations"]["runbook_url"] == f"deploy/runbooks/{name}.md"
        assert (RUNBOOKS / f"{name}.md").read_text().startswith(f"# {name}\n"), name
        assert alert["labels"]["severity"] in ("critical", "warning")


def of(namespace: str, series: dict[str, str]) -> dict[str, str]:
    """The series as those of an installation in a namespace."""
    label = f'namespace="{namespace}"'
    return {f"{name[:-1]},{label}}}" if name.endswith("}") else f"{name}{{{label}}}": values for name, values in series.items()}


@pytest.mark.parametrize("case", ["fires", "silent", "of one of two"])
@pytest.mark.parametrize("alert", ALERTS)
def test_alerts(alert, case, tmp_path):
    minutes, firing, silent, labels = CASES[alert]
    expected = [{**ALERTS[alert]["labels"], **each} for each in (labels if isinstance(labels, list) else [labels])]
    series, expected = {
        "fires": (firing, expected),
        "silent": (silent, []),
        "of one of two": ({**of("here", firing), **of("there", silent)}, [{**each, "namespace": "here"} for each in expected]),
    }[case]
    assert_alerts(alert, minutes, series, expected, tmp_path)


def test_dead_letters_of_a_role_that_had_none_yesterday(tmp_path):
    expected = [{**ALERTS["WireroomDeadLetters"]["labels"], "role": "extractor"}]
    for letters, alerts in [(30, expected), (3, [])]:
        series = {f'{DEAD}{{role="extractor",reason="verdict"}}': f"0+{letters}x120", **CONSUMED}
        assert_alerts("WireroomDeadLetters", 110, series, alerts, tmp_path)


def assert_alerts(alert, minutes, series, expected, tmp_path):
    """The alerts of a name that these series bring about."""
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": f"{minutes}m", "exp_alerts": [{"exp_labels": each} for each in expected]}],
    }
    # Annotations are written for people: what is tested is which alerts there are.
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations", None)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    test = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    ran = promtool("test", "rules", tmp_path / "test.yaml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_record_has_a_case():
    assert RECORDED.keys() == {rule["record"] for rule in ALL if "record" in rule}


@pytest.mark.parametrize("record", RECORDED)
def test_records(record, tmp_path):
    minutes, series, labels, value = RECORDED[record]
    # Rates do not come out round.
    expression = f"round({record}, 0.001)"
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": f"{minutes}m", "exp_samples": [{"labels": labels, "value": value}]}],
    }
    test = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    ran = promtool("test", "rules", tmp_path / "test.yaml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_metrics_that_rules_ask_for_are_there():
    known = set(re.findall(r"^\| `(\w+)`", (ROOT / "services" / "METRICS.md").read_text(), re.M))
    asked = {name for rule in ALL for name in re.findall(r"\bwireroom_\w+", rule["expr"])}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} - known == set()
