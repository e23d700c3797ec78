"""Derive orderparam/data/settings.json: every tabulated setting of the space groups with its Hall symbol.

The 530 settings of International Tables are those of spglib; 26 more that files use (centred triclinic cells, C and F
cells of tetragonal groups ...) are those that gemmi has beside them. Run: python scripts/derive_settings.py [FILE]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "orderparam" / "data" / "settings.json"


def main(target: Path = TARGET) -> None:
    """Write one row per setting: number, choice of axes, cell or origin, Hall symbol, symbols (full first)."""
    import gemmi
    import spglib

    tabulated = [spglib.get_spacegroup_type(hall) for hall in range(1, 531)]
    before = {entry.hall: entry.hm for entry in gemmi.spacegroup_table()}
    rows = [[t.number, t.choice, t.hall_symbol, _symbols(t, before.get(t.hall_symbol, ""))] for t in tabulated]
    known = {row[2] for row in rows}
    rows += [
        [extra.number, "", extra.hall, [extra.hm]]
        for extra in gemmi.spacegroup_table()
        if extra.hall not in known and not re.search(r"\da\)?$|\(a\)", extra.hm)  # no shifted origins
    ]
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def _symbols(entry, before: str) -> list[str]:
    """Return the symbols of a setting; of 'P 2_1/c = P 1 2_1/n 1' the first part names the type alone.

    spglib leaves the last axis of 127 to 130 short in their full symbols: P 4/n 2_1/m m is P 4/n 2_1/m 2/m. What a
    double glide plane e was called before (C m m a, C m m b) is gemmi's.
    """
    *_, own = (part.strip() for part in entry.international.split("="))
    full = re.sub(r"^(P 4/. 2_1/.) (.)$", r"\1 2/\2", entry.international_full)
    return list(dict.fromkeys([entry.international_full, own, full, *([before] if "e" in own else [])]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
