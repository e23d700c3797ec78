"""Ask CrystOD for the order parameters of every shipped pair; writes docs/data/crystod.json.

The validation page of the documentation puts our own results beside them. A pair takes some seconds, so that the
answers are stored; `tests/symmetry/test_against_crystod.py -m slow` compares anew.

Run: python scripts/ask_crystod.py
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.symmetry.test_against_crystod import BEYOND_CRYSTOD, crystod  # noqa: E402


def main() -> None:
    """Ask for all pairs and store label, isotropy subgroup and As (angstrom) of every irrep."""
    found: dict[str, list | str] = {}
    for pair in json.loads((ROOT / "tests" / "tables" / "pairs.json").read_text()):
        name = Path(pair["child"]).stem
        if name in BEYOND_CRYSTOD:
            found[pair["name"]] = BEYOND_CRYSTOD[name]
            continue
        found[pair["name"]] = crystod(*(ROOT / "structures" / pair[role] for role in ("parent", "child")))
        print(pair["name"], flush=True)
    record = {"program": f"CrystOD {version('CrystOD')}", "pairs": found}
    target = ROOT / "docs" / "data" / "crystod.json"
    target.write_text(json.dumps(record, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
