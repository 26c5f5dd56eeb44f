"""Strimzi's definition of a KafkaTopic. No registry has the file; Maven Central has the classes that it is generated from, and
the generator."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from helm import ROOT

# The last API with v1beta2 beside v1, and the last generator published that needs no newer Java than 17.
ARTIFACTS = {"api": "0.51.0", "crd-generator": "0.45.0"}
DEFINITION = ROOT / "target" / "ops-strimzi" / "kafkatopics-{api}-{crd-generator}.yaml".format(**ARTIFACTS)


def kafka_topic() -> Path:
    """The file of the definition."""
    if not DEFINITION.exists():
        DEFINITION.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=DEFINITION.parent) as folder:
            for name, version in ARTIFACTS.items():
                artifact = f"-Dartifact=io.strimzi:{name}:{version}"
                succeed("mvn", "--quiet", "--batch-mode", "dependency:copy", artifact, f"-DoutputDirectory={folder}")
            generated = Path(folder) / "kafkatopics.yaml"
            topic = f"io.strimzi.api.kafka.model.topic.KafkaTopic={generated}"
            succeed("java", "--class-path", f"{folder}/*", "io.strimzi.crdgenerator.CrdGenerator", "--yaml", topic)
            # What has the final name is complete.
            generated.rename(DEFINITION)
    return DEFINITION


def succeed(*command: str):
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, f"{' '.join(command)}: {ran.stdout}{ran.stderr}"
