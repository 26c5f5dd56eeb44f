"""What several checks need."""

import os
from pathlib import Path

import pytest
from helm import ROOT


@pytest.fixture(scope="session")
def wireroom() -> Path:
    """The program that is named, or else as the last build left it."""
    if named := os.environ.get("WIREROOM_PROGRAM"):
        return Path(named)
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    built = [path for profile in ("debug", "release") if (path := target / profile / "wireroom").exists()]
    assert built, "no wireroom in target/: build it first"
    return max(built, key=lambda path: path.stat().st_mtime)
