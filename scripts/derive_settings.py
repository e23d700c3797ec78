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
    rows = [
        [t.number, t.choice, t.hall_symbol, list(dict.fromkeys([t.international_full, *_short(t)]))] for t in tabulated
    ]
    known = {row[2] for row in rows}
    for extra in gemmi.spacegroup_table():
        if extra.hall not in known and not re.search(r"\da\)?$|\(a\)", extra.hm):  # no shifted origins
            rows.append([extra.number, "", extra.hall, [extra.hm]])
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def _short(entry) -> list[str]:  # noqa: ANN001
    """Return the other symbols of a setting; of 'P 2_1/c = P 1 2_1/n 1' the first part names the type alone.

    spglib leaves the last axis of 127 to 130 short in their full symbols: P 4/n 2_1/m m is P 4/n 2_1/m 2/m.
    """
    *_, own = (part.strip() for part in entry.international.split("="))
    return [own, re.sub(r"^(P 4/. 2_1/.) (.)$", r"\1 2/\2", entry.international_full)]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
