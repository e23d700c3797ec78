"""Limits in seconds hold on the machine on which they were set; others are compared by a peer's time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.conftest import browser

__all__ = ["browser", "pace"]

YARDSTICK = (str(Path(sys.executable).parent / "crystod-group"), "--parent", "Pm-3m", "--irrep", "M3+", "R4+")
YARDSTICK_SECONDS = 2.0
"""What CrystOD needed for this on the machine of the limits."""


@pytest.fixture
def pace() -> float:
    """How much slower this machine is at this moment, by CrystOD; never below 1."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(YARDSTICK, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return max(1.0, statistics.median(times) / YARDSTICK_SECONDS)
