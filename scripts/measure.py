"""Run the benchmarks and store their medians with the facts of the machine; writes docs/data/benchmarks.json.

The performance page of the documentation is made of it. Run: python scripts/measure.py [arguments for pytest]
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "data" / "benchmarks.json"
PEERS = ("orderparam", "numpy", "torch", "spglib", "CrystOD", "e3nn")


def main() -> None:
    """Measure; benchmarks that miss their bounds are stored, and marked."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        raw, report = Path(place) / "raw.json", Path(place) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/benchmarks", "-o", "addopts=", *sys.argv[1:]]
        subprocess.run([*command, f"--benchmark-json={raw}", f"--junitxml={report}"], cwd=ROOT, check=False)
        results = json.loads(raw.read_text())
        failed = set(re.findall(r'\sname="([^"]+)"[^>]*><failure', report.read_text()))
    machine = results["machine_info"]
    record = {
        "date": results["datetime"][:10],
        "load": [round(before, 2), round(os.getloadavg()[0], 2)],
        "machine": {
            "cpu": machine["cpu"].get("brand_raw", platform.machine()),
            "cores": os.cpu_count(),
            "system": machine["system"],
            "python": machine["python_version"],
        },
        "versions": {name: version(name) for name in PEERS},
        "benchmarks": [_stored(one, failed) for one in results["benchmarks"]],
    }
    TARGET.write_text(json.dumps(record, indent=1) + "\n")


def _stored(one: dict, failed: set[str]) -> dict:
    file, _, name = one["fullname"].partition("::")
    test, _, parameters = name.partition("[")
    return {
        "file": file,
        "test": test,
        "parameters": parameters.rstrip("]"),
        "median": one["stats"]["median"],
        "rounds": one["stats"]["rounds"],
        "extra": one["extra_info"],
        "failed": name in failed,
    }


if __name__ == "__main__":
    main()
