"""What several checks need."""

import os
from pathlib import Path

import pytest
from helm import ROOT


@pytest.fixture(scope="session")
def wireroom() -> Path:
    """The program, as the last build left it."""
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    built = [path for profile in ("debug", "release") if (path := target / profile / "wireroom").exists()]
    assert built, "no wireroom in target/: build it first"
    return max(built, key=lambda path: path.stat().st_mtime)
