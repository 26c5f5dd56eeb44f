"""The image and the compose file, without a container engine: the Dockerfile is linted, and the program runs as it would."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import certifi
import pytest
import yaml
from helm import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()

# What the base has (distroless cc-debian12: libc6, libgcc-s1, libgomp1, libstdc++6, libssl3), and what the Dockerfile adds.
BASE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "libssl.so.3", "libcrypto.so.3", "ld-linux-x86-64.so.2"}
ADDED = set(re.findall(r'\$1 == "(\S+)"', DOCKERFILE))

STORY = """Gate of the northern lock stays open

March 12, 2026

The northern lock of Halvern stayed open on Thursday after divers found a beam across the sill of its gate, the harbour
office said. Barges that were due to leave before noon were sent round by the outer basin, which adds two hours to
the way to the river.

The beam is thought to have come loose from a jetty that was taken down in the autumn. A crane is to lift it out on Friday
morning, when the tide is low enough, and the gate will be tried twice before anything may pass it.

Nobody was hurt. The office asked skippers to call ahead, and said that the fees of those who lost a day would be given back.
"""


def libraries(program: Path) -> dict[str, Path]:
    """The shared libraries that a program needs, by name."""
    listed = subprocess.check_output(["ldd", program], text=True)
    found = re.findall(r"(?:(\S+) => )?(/\S+) \(0x", listed)
    return {name or Path(path).name: Path(path) for name, path in found}


def test_hadolint_has_nothing_to_say():
    ran = subprocess.run(["hadolint", "--no-color", DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_runtime_has_every_library(wireroom):
    assert libraries(wireroom).keys() <= BASE | ADDED


def test_the_image_is_run_as_nobody():
    runtime = DOCKERFILE.split("FROM ")[-1]
    assert "USER 65532:65532" in runtime and "RUN" not in runtime
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", runtime))
    assert {"title", "licenses", "version", "revision"} <= labels


def test_it_runs_on_a_read_only_root(wireroom, tmp_path):
    """What the chart asks of it: user 65532, no capability, nothing to write but the data folder. Articles come out."""
    namespaces = ["unshare", "--mount", "--net"]
    if subprocess.run([*namespaces, "true"], capture_output=True).returncode != 0:
        pytest.skip("no namespaces may be made here: run it as root")
    root, data = tmp_path / "root", tmp_path / "data"
    for path in (root / "usr/bin", root / "var/lib/wireroom", root / "etc/ssl", data):
        path.mkdir(parents=True)
    shutil.copy2(wireroom.resolve(), root / "usr/bin/wireroom")
    for path in libraries(wireroom).values():
        (root / path.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy2(path.resolve(), root / path.relative_to("/"))
    (root / "etc/ssl/certs").mkdir()
    shutil.copy2(certifi.where(), root / "etc/ssl/certs/ca-certificates.crt")
    (data / "story.txt").write_text(STORY)
    tmp_path.chmod(0o755)
    shutil.chown(data, 65532, 65532)
    script = f"""
        mount --bind '{root}' '{root}' && mount --bind '{data}' '{root}/var/lib/wireroom'
        mount --options remount,bind,ro '{root}'
        cd '{root}' && exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups= . /usr/bin/wireroom run \
            /var/lib/wireroom/story.txt --data /var/lib/wireroom/run --out /var/lib/wireroom/articles.jsonl
    """
    ran = subprocess.run([*namespaces, "bash", "-euc", script], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    articles = data / "articles.jsonl"
    assert [json.loads(line)["headline"] for line in articles.open()] == ["Gate of the northern lock stays open"]
    assert articles.stat().st_uid == 65532


def compose(file: Path) -> subprocess.CompletedProcess:
    """What Compose makes of a file as if it were in deploy/: by its own loader and schema."""
    return subprocess.run(["compose-spec", file], cwd=DEPLOY, capture_output=True, text=True)


@pytest.fixture(scope="module")
def composed():
    ran = compose(DEPLOY / "compose.yaml")
    assert ran.returncode == 0, ran.stderr
    return yaml.safe_load(ran.stdout)


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("read_only: true", "readonly: true", "readonly"),
        ("retries: 24", "retries: often", "healthcheck.retries"),
        ("service_completed_successfully", "service_ended", "depends_on.topics.condition"),
    ],
)
def test_what_compose_would_not_take_is_found(right, wrong, named, tmp_path):
    text = (DEPLOY / "compose.yaml").read_text()
    assert right in text
    file = tmp_path / "compose.yaml"
    file.write_text(text.replace(right, wrong))
    assert named in compose(file).stderr


def test_compose_mounts_what_is_there_and_starts_what_there_is(composed, wireroom):
    for name, service in composed["services"].items():
        for mount in service.get("volumes", []):
            source = mount["source"]
            assert source in composed["volumes"] if mount["type"] == "volume" else Path(source).exists(), (name, source)
        assert service.get("depends_on", {}).keys() <= composed["services"].keys(), name
        assert all(port.get("host_ip") == "127.0.0.1" for port in service.get("ports", [])), f"{name} is open to the network"
        if service["image"].startswith("wireroom"):
            assert (Path(service["build"]["context"]) / service["build"]["dockerfile"]).exists(), name
            assert service["read_only"] and service["cap_drop"] == ["ALL"], name
            for arguments in (["check-config"], [*service["command"], "--help"]):
                ran = subprocess.run([wireroom, *arguments], env=service["environment"], capture_output=True, text=True)
                assert ran.returncode == 0, (name, ran.stderr)


def test_prometheus_scrapes_every_service(composed):
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]["static_configs"]
    targets = {target for config in scraped for target in config["targets"]}
    commands = {name: service.get("command") or [] for name, service in composed["services"].items()}
    listening = {f"{name}:{command[-1].split(':')[1]}" for name, command in commands.items() if "--listen" in command}
    assert targets == listening and len(targets) == 3
