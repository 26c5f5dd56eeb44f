"""Programs and data from npm, in a folder of their own under target/."""

import subprocess
from pathlib import Path

from helm import ROOT

# Pinned, with nothing that they need in turn.
PACKAGES = ["@asyncapi/specs@6.11.1", "@bufbuild/buf@1.75.0"]
HOME = ROOT / "target" / "ops-node"


def package(name: str) -> Path:
    """The folder of a package."""
    installed = HOME / "installed"
    if not installed.exists() or installed.read_text().split() != PACKAGES:
        HOME.mkdir(parents=True, exist_ok=True)
        # Without its scripts: none of them is needed.
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--silent", "--prefix", HOME, *PACKAGES]
        ran = subprocess.run(install, capture_output=True, text=True)
        assert ran.returncode == 0, f"npm cannot install {PACKAGES}: {ran.stdout}{ran.stderr}"
        installed.write_text("\n".join(PACKAGES))
    return HOME / "node_modules" / name


def buf(*arguments: str) -> subprocess.CompletedProcess:
    """What buf says."""
    program = package("@bufbuild/buf") / "bin" / "buf"
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)
