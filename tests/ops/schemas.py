"""What an API server would refuse: unknown fields and wrong values, and what the restricted Pod Security Standard forbids."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import kubernetes_validate
import yaml
from strimzi import kafka_topic

VERSIONS = ["1.29", "1.30", "1.31", "1.32", "1.33", "1.34"]

# Definitions of custom resources: the operators' own.
MODULES = {line.split("@")[0]: line for line in (Path(__file__).parent / "modules.txt").read_text().split()}
DEFINITIONS = {
    "github.com/kedacore/keda/v2": ["config/crd/bases/keda.sh_scaledobjects.yaml", "config/crd/bases/keda.sh_triggerauthentications.yaml"],
    "github.com/prometheus-operator/prometheus-operator": [
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
}


def definitions() -> list[Path]:
    """The files of the definitions."""
    modules = Path(os.environ["GOPATH"]) / "pkg" / "mod"
    return [kafka_topic()] + [modules / MODULES[module] / path for module, paths in DEFINITIONS.items() for path in paths]


@cache
def groups() -> set[str]:
    """The groups of custom resources."""
    return {yaml.safe_load(path.read_text())["spec"]["group"] for path in definitions()}


def faults(resources: list[dict], version: str) -> list[str]:
    """What is wrong with objects, for a Kubernetes of this version: by the API server's own validation (kubectl-validate),
    and, but for custom resources, by the published schemas, no field allowed that these do not name."""
    found = []
    for resource in resources:
        if resource["apiVersion"].split("/")[0] not in groups():
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(f"{resource['kind']} {'.'.join(map(str, error.path))}: {error.message}")
    with TemporaryDirectory() as folder:
        local = Path(folder) / "definitions"
        local.mkdir()
        for path in definitions():
            (local / path.name).symlink_to(path)
        rendered = Path(folder) / "rendered.yaml"
        rendered.write_text(yaml.safe_dump_all(resources))
        validate = ["kubectl-validate", rendered, "--version", version, "--local-crds", local, "--output", "json"]
        ran = subprocess.run(validate, capture_output=True, text=True)
    answers = json.loads(ran.stdout)[str(rendered)]
    assert len(answers) == len(resources), ran.stdout + ran.stderr
    return found + [answer["message"] for answer in answers if answer["status"] != "Success"]


def unrestricted(pod: dict) -> list[str]:
    """Where a pod's specification is not of the restricted Pod Security Standard."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    for volume in pod.get("volumes") or []:
        found += [f"volume {volume['name']} is a {kind}" for kind in volume.keys() - allowed - {"name"}]
    of_pod = pod.get("securityContext", {})
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        both = {**of_pod, **own}
        capabilities = own.get("capabilities", {})
        wrong = {
            "privileged": own.get("privileged", False),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
            "capabilities.drop": "ALL" not in capabilities.get("drop", []),
            "capabilities.add": set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"},
            "runAsNonRoot": both.get("runAsNonRoot") is not True,
            "runAsUser": both.get("runAsUser") == 0,
            "seccompProfile": both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "procMount": own.get("procMount", "Default") != "Default",
            "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
        }
        found += [f"{container['name']}: {name}" for name, is_wrong in wrong.items() if is_wrong]
    return found
