"""Extended XYZ: one frame or many, as ASE and OVITO read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.writing import check_whole_elements


def extended_xyz(frames: Sequence[Crystal], displacements: Sequence[np.ndarray] | None = None) -> str:
    """Return crystals as extended XYZ, Cartesian in angstrom, with a column of displacements where they are given.

    Raises
    ------
    InvalidInputError
        When a site is mixed or partly empty: the format has one element per atom.
    """
    check_whole_elements([kind for crystal in frames for kind in crystal.species], "an extended XYZ")
    lines: list[str] = []
    for number, crystal in enumerate(frames):
        lattice = " ".join(f"{value:.10f}" for value in crystal.lattice.ravel())
        columns = "species:S:1:pos:R:3" + (":displacement:R:3" if displacements is not None else "")
        periodic = " ".join("T" if periodic else "F" for periodic in crystal.periodic)
        lines += [str(crystal.n_sites), f'Lattice="{lattice}" Properties={columns} pbc="{periodic}"']
        values = [crystal.positions_cart]
        if displacements is not None:
            values.append(displacements[number])
        table = np.concatenate(values, axis=1)
        lines += [
            f"{kind} " + " ".join(f"{value:.10f}" for value in row)
            for kind, row in zip(crystal.species, table, strict=True)
        ]
    return "\n".join([*lines, ""])
