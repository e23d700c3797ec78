"""NaNiO2 in every format: monoclinic C2/m (Jahn-Teller), and its trigonal parent R-3m.

Lattice and oxygen of C2/m are those of Chappel et al., Eur. Phys. J. B 17, 615 (2000), rounded. The frame has a along x
and b along y.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

LATTICE = ((5.3222, 0.0, 0.0), (0.0, 2.8458, 0.0), (-1.952539356, 0.0, 5.230651231))
ATOMS = (
    ("Na", (0.0, 0.5, 0.5)), ("Na", (0.5, 0.0, 0.5)), ("Ni", (0.0, 0.0, 0.0)), ("Ni", (0.5, 0.5, 0.0)),
    ("O", (0.2832, 0.0, 0.805)), ("O", (0.7832, 0.5, 0.805)), ("O", (0.7168, 0.0, 0.195)), ("O", (0.2168, 0.5, 0.195)),
)  # fmt: skip
COUNTS = "2 2 4"
VOLUME = LATTICE[0][0] * LATTICE[1][1] * LATTICE[2][2]


def row(values: tuple[float, ...], before: str = "  ") -> str:
    return before + " ".join(f"{value:.9f}" for value in values)


def cartesian(position: tuple[float, ...], lattice: tuple[tuple[float, ...], ...] = LATTICE) -> tuple[float, ...]:
    return tuple(sum(position[i] * lattice[i][j] for i in range(3)) for j in range(3))


def poscar(*head: str, lattice=LATTICE, atoms=None, remark: str = "") -> str:
    """Return a POSCAR: title and scale, the cell, then the other lines of the head."""
    rows = atoms or [row(position) for _, position in ATOMS]
    lines = [*head[:2], *(row(vector) for vector in lattice), *head[2:]]
    if remark:
        rows = [f"{line} {remark} {kind}" for line, (kind, _) in zip(rows, ATOMS, strict=True)]
    return "\n".join([*lines, *rows]) + "\n"


def frame(energy: float, shift: float) -> str:
    """Return a frame of extended XYZ with the oxygen atoms moved along x."""
    cell = " ".join(f"{x:.9f}" for vector in LATTICE for x in vector)
    lines = [
        f"{len(ATOMS)}",
        f'Lattice="{cell}" Properties=species:S:1:pos:R:3 pbc="T T T" energy={energy}',
    ]
    for kind, position in ATOMS:
        x, y, z = cartesian(position)
        lines.append(row((x + shift * (kind == "O"), y, z), f"{kind} "))
    return "\n".join(lines) + "\n"


def texts() -> dict[str, str]:
    """Return every file by name."""
    scales = (2.0, 1.5, 3.0)
    scaled = tuple(tuple(x / s for x, s in zip(vector, scales, strict=True)) for vector in LATTICE)
    small = tuple(tuple(0.4 * x for x in vector) for vector in LATTICE)
    inside = [row(cartesian(position, small)) for _, position in ATOMS]
    points = "\n".join(
        f"  - symbol: {kind}\n    coordinates: [ {', '.join(f'{x:.9f}' for x in position)} ]"
        for kind, position in ATOMS
    )
    vectors = "\n".join(f"  - [ {', '.join(f'{x:.9f}' for x in vector)} ]" for vector in LATTICE)
    atoms = "\n".join(row(position, f"{kind} ") for kind, position in ATOMS)
    return {
        "POSCAR_comment": poscar(
            "NaNiO2 # relaxed", "1.0 ! scale", "Na Ni O ! kinds", f"{COUNTS} ! numbers", "Direct ! frac", remark="!"
        ),
        "POSCAR_threescales": poscar("NaNiO2", "2.0 1.5 3.0", "Na Ni O", COUNTS, "Direct", lattice=scaled),
        "POSCAR_volume_cart": poscar(
            "NaNiO2", f"-{VOLUME:.8f}", "Na Ni O", COUNTS, "Cartesian", lattice=small, atoms=inside
        ),
        "POSCAR_vasp4_title": poscar("Na Ni O", "1.0", COUNTS, "Direct"),
        "POSCAR_no_elements": poscar("a distorted cell", "1.0", COUNTS, "Direct"),
        "traj.xyz": frame(-1.0, 0.0) + frame(-2.0, 0.2),
        "phonopy.yaml": f"phonopy:\n  version: 2.20\nunit_cell:\n  lattice:\n{vectors}\n  points:\n{points}\n",
        "qe.in": "&control\n calculation='scf'\n/\n&system\n ibrav=0, nat=8, ntyp=3, ecutwfc=50\n/\n&electrons\n/\n"
        "ATOMIC_SPECIES\nNa 22.99 Na.upf\nNi 58.69 Ni.upf\nO 16.0 O.upf\nCELL_PARAMETERS angstrom\n"
        + "\n".join(row(vector) for vector in LATTICE)
        + f"\nATOMIC_POSITIONS crystal\n{atoms}\nK_POINTS gamma\n",
        "parent_R-3m.cif": "data_NaNiO2\n_cell_length_a 2.96\n_cell_length_b 2.96\n_cell_length_c 15.77\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 120\n_symmetry_space_group_name_H-M 'R -3 m'\n"
        "_symmetry_Int_Tables_number 166\nloop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n"
        "_atom_site_fract_y\n_atom_site_fract_z\nNa Na 0 0 0.5\nNi Ni 0 0 0\nO O 0 0 0.2308\n",
    }


def written() -> Path:
    """Write every file into a new folder and return it."""
    folder = Path(tempfile.mkdtemp(prefix="nickelate"))
    for name, text in texts().items():
        (folder / name).write_text(text)
    return folder
