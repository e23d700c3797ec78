"""Read the crystal of a file that is no CIF: which formats there are, and which one a file has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from orderparam.errors import InvalidInputError, OrderParamError

from . import aims, castep, cssr, espresso, fromase, frompymatgen, phonopyyaml, poscar, shelx
from .crystal import Crystal
from .filetext import head_of, plain_name
from .frames import EmptyFileError, Frames, pick
from .quiet import overheard


@dataclass(frozen=True)
class Format:
    """A format of crystal files.

    Attributes
    ----------
    name : str
        As users call it.
    patterns : tuple of str
        File names in small letters, with ``*``.
    recognise : callable
        Tells by the beginning of a text whether it is of this format.
    read : callable
        Reads the frames of a file.
    """

    name: str
    patterns: tuple[str, ...]
    recognise: Callable[[str], bool]
    read: Callable[[Path], Frames]

    def claims(self, name: str) -> bool:
        """Tell whether a file of this name should be of this format."""
        return any(fnmatch(name, pattern) for pattern in self.patterns)


FORMATS = (
    Format("XDATCAR", ("*xdatcar*",), poscar.looks_like_xdatcar, poscar.read_xdatcar),
    Format("POSCAR", ("*poscar*", "*contcar*", "*.vasp", "chgcar*", "locpot*", "aeccar*"), poscar.looks_like_poscar,
           poscar.read_poscar),
    Format("vasprun.xml", ("*vasprun*.xml*",), frompymatgen.looks_like_vasprun, frompymatgen.read_vasprun),
    Format("extended XYZ", ("*.xyz", "*.extxyz"), fromase.looks_like_extended_xyz, fromase.read_extended_xyz),
    Format("Quantum ESPRESSO input", ("*.in", "*.pwi", "*.pwin", "*.scf"), espresso.looks_like_espresso,
           espresso.read_espresso),
    Format("FHI-aims geometry.in", ("*geometry.in*",), aims.looks_like_aims, aims.read_aims),
    Format("CASTEP .cell", ("*.cell",), castep.looks_like_castep, castep.read_castep),
    Format("SHELX .res/.ins", ("*.res", "*.ins"), shelx.looks_like_shelx, shelx.read_shelx),
    Format("phonopy.yaml", ("*phonopy*.yaml", "*phono3py*.yaml"), phonopyyaml.looks_like_phonopy,
           phonopyyaml.read_phonopy),
    Format("XSF", ("*.xsf", "*.axsf"), fromase.looks_like_xsf, fromase.read_xsf),
    Format("CSSR", ("*.cssr",), cssr.looks_like_cssr, cssr.read_cssr),
    Format("pymatgen JSON", ("*.json", "*.mson"), frompymatgen.looks_like_pymatgen_json,
           frompymatgen.read_pymatgen_json),
    Format("ASE JSON", ("*.json",), fromase.looks_like_ase_json, fromase.read_ase_json),
    Format("ASE trajectory", ("*.traj",), fromase.looks_like_trajectory, fromase.read_trajectory),
    Format("ASE database", ("*.db",), fromase.looks_like_sqlite, fromase.read_ase_database),
)  # fmt: skip
"""All formats beside CIF, in the order in which contents are compared."""

MOLECULES = ("*.mol", "*.pdb", "*.gjf")


def read_other(path: Path, *, frame: int | str | None = None) -> Crystal:
    """Return the crystal of a file that is no CIF; of several frames the last, or the one that is asked for.

    Remarks of third-party parsers become notes of the crystal.

    Raises
    ------
    InvalidInputError
        When the format is none of `FORMATS`, the file is not what its format asks for, or the frame is not there.
    """
    form = find_format(path)
    try:
        with overheard() as said:
            crystal = pick(form.read(path), frame, str(path))
    except EmptyFileError as problem:
        raise InvalidInputError(f"{path}: {problem}") from None
    except OrderParamError:
        raise
    except Exception as problem:
        reason = " ".join((str(problem).strip().splitlines() or [type(problem).__name__])[0].split())
        raise InvalidInputError(f"{path}: not a file of {form.name} that can be read ({reason[:160]})") from problem
    remarks = tuple(f"{path.name}: the reader of {form.name} remarks: {text}" for text in said)
    return replace(crystal, notes=(*crystal.notes, *remarks))


def find_format(path: Path) -> Format:
    """Return a file's format: among those that claim its name the one that its content fits, else any that it fits.

    Where it fits none, the first that claims the name says what is wrong.

    Raises
    ------
    InvalidInputError
        When there is none; the message lists the formats that are read.
    """
    name, head = plain_name(path), head_of(path)
    claiming = [form for form in FORMATS if form.claims(name)]
    fitting = [form for form in (*claiming, *FORMATS) if form.recognise(head)]
    if fitting or claiming:
        return (fitting or claiming)[0]
    if any(fnmatch(name, pattern) for pattern in MOLECULES):
        raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
    if frompymatgen.known_to_pymatgen(path):
        return Format("pymatgen", (), bool, frompymatgen.read_by_pymatgen)
    known = ", ".join(["CIF", *(form.name for form in FORMATS)])
    raise InvalidInputError(
        f"{path}: neither its name nor its content is that of a crystal file; these are read: {known}"
    )
