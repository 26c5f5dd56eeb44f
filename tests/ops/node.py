"""Programs and data from npm, in a folder of their own under target/."""

import json
import subprocess
from pathlib import Path

from helm import ROOT

# Pinned; what they need in turn is as it was on this day.
PACKAGES = ["@asyncapi/parser@3.6.6", "@bufbuild/buf@1.75.0"]
DAY = "2026-11-01"
HOME = ROOT / "target" / "ops-node"


# What AsyncAPI's parser says of a file.
DIAGNOSE = """
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
const source = process.argv[1];
const { diagnostics } = await new Parser().parse(readFileSync(source, "utf8"), { source });
console.log(JSON.stringify(diagnostics));
"""
WARNING = 1


def package(name: str) -> Path:
    """The folder of a package."""
    installed, wanted = HOME / "installed", [*PACKAGES, DAY]
    if not installed.exists() or installed.read_text().split() != wanted:
        HOME.mkdir(parents=True, exist_ok=True)
        # Without its scripts: none of them is needed.
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--silent"]
        install = ["npm", "install", *quietly, "--before", DAY, "--prefix", HOME, *PACKAGES]
        ran = subprocess.run(install, capture_output=True, text=True)
        assert ran.returncode == 0, f"npm cannot install {PACKAGES}: {ran.stdout}{ran.stderr}"
        installed.write_text("\n".join(wanted))
    return HOME / "node_modules" / name


def buf(*arguments: str) -> subprocess.CompletedProcess:
    """What buf says."""
    program = package("@bufbuild/buf") / "bin" / "buf"
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)


def asyncapi_faults(document: Path) -> list[str]:
    """The errors and warnings of AsyncAPI's own parser, references to other files resolved."""
    package("@asyncapi/parser")
    diagnose = ["node", "--input-type=module", "--eval", DIAGNOSE, document]
    diagnostics = json.loads(subprocess.check_output(diagnose, cwd=HOME, text=True))
    told = [found for found in diagnostics if found["severity"] <= WARNING]
    return [f"{'.'.join(map(str, found['path']))}: {found['message']}" for found in told]
