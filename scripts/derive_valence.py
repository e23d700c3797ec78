"""Derive orderparam/data/valence.json: bond-valence radii, oxidation states and their frequency, as pymatgen has them.

pymatgen keeps them as YAML and needs about a second to read it, more than the whole decomposition of a structure.
Run: python scripts/derive_valence.py [FILE]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "orderparam" / "data" / "valence.json"


def main(target: Path = TARGET) -> None:
    """Write the file."""
    from pymatgen.core import Element
    from pymatgen.core.bond_valence import BV_PARAMS, ELECTRONEG, PRIOR_PROB

    states = {e.symbol: list(e.icsd_oxidation_states or e.common_oxidation_states) for e in Element}
    record = {
        "radii": {e.symbol: [float(p["r"]), float(p["c"]), e.X] for e, p in sorted(BV_PARAMS.items(), key=_symbol)},
        "electronegative": [e.symbol for e in ELECTRONEG],
        "states": {symbol: states[symbol] for symbol in sorted(states) if states[symbol]},
        "occurrence": {str(s): n for s, n in sorted(PRIOR_PROB.items(), key=lambda item: str(item[0]))},
    }
    rows = [json.dumps(name) + ": " + json.dumps(part).replace("], ", "],\n") for name, part in record.items()]
    target.write_text("{" + ",\n".join(rows) + "}\n")


def _symbol(item: tuple) -> str:
    return item[0].symbol


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
