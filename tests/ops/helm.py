"""Helm's own engine (the package helm-python-sdk) on the chart, and what it renders."""

import json
from pathlib import Path

import helm_python
import yaml
from helm_python import _native

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "wireroom"
HelmError = helm_python.HelmError


def texts(values: dict | None = None, kubernetes: str = "1.34", chart: Path = CHART) -> dict[str, str]:
    """Every template of a release `press` in the namespace `news`, hooks too, rendered, by its path."""
    options = {"name": "press", "namespace": "news", "kube_version": f"v{kubernetes}.0"}
    with helm_python.Chart.load(chart) as loaded:
        # Chart.render() cannot be told the version of Kubernetes; the call under it can.
        answer = _native.call_string("helm_render", loaded._raw(), json.dumps(values or {}), json.dumps(options))
    return json.loads(answer)


def render(values: dict | None = None, kubernetes: str = "1.34", chart: Path = CHART) -> list[dict]:
    """Every object of that release."""
    files = texts(values, kubernetes, chart).items()
    return [found for name, text in files if name.endswith(".yaml") for found in yaml.safe_load_all(text) if found]


def lint(values: dict, kubernetes: str) -> list[str]:
    """What `helm lint --strict` objects to."""
    report = helm_python.lint(CHART, values, strict=True, kube_version=f"v{kubernetes}.0")
    return report["errors"] + [found["error"] for found in report["messages"] if found["severity"] > 1]


def one(objects: list[dict], kind: str, name: str) -> dict:
    """The object of this kind and name."""
    [found] = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def pods(objects: list[dict]) -> dict[str, dict]:
    """The specifications of pods, by the names of what they belong to."""
    return {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in objects if "template" in o.get("spec", {})}


def environment(pod: dict) -> dict[str, str]:
    """A container's variables as its process sees them, secrets as `secret-NAME-KEY`, fields as `field-PATH`."""
    seen: dict[str, str] = {}
    for variable in pod["containers"][0]["env"]:
        source = variable.get("valueFrom", {})
        if "secretKeyRef" in source:
            value = "secret-{name}-{key}".format(**source["secretKeyRef"])
        elif "fieldRef" in source:
            value = f"field-{source['fieldRef']['fieldPath']}"
        else:
            value = variable["value"]
        for name, earlier in seen.items():
            value = value.replace(f"$({name})", earlier)
        seen[variable["name"]] = value
    return seen
