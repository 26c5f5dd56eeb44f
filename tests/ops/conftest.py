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
    if not built:
        give_up = pytest.fail if "CI" in os.environ else pytest.skip
        give_up("no wireroom in target/: build it first")
    return max(built, key=lambda path: path.stat().st_mtime)
