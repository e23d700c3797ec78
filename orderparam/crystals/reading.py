"""Read a crystal from any file that holds one."""

from __future__ import annotations

import re
from pathlib import Path

from orderparam.errors import InvalidInputError

from .cif.reading import read_cif
from .crystal import Crystal, check_contacts
from .filetext import head_of, plain_name
from .layers import settle_periodicity
from .quiet import quiet


def read_crystal(
    path: str | Path, *, setting: str | None = None, frame: int | str | None = None, periodic: str | None = None
) -> Crystal:
    """Read a crystal from a CIF, a POSCAR or any other crystal file.

    Oxidation states are stripped, magnetic moments are left out with a note, deuterium is read as hydrogen, site labels
    are kept.

    Parameters
    ----------
    path : str or Path
    setting : str, optional
        The space-group setting that a CIF means where it leaves that open.
    frame : int or str, optional
        Which of several structures of a file: counted from 1, ``"first"``, ``"last"`` or ``"mean"``. Without it the
        last, where a relaxation has its result, and of a CIF the first; a note says so.
    periodic : str, optional
        The axes along which the crystal repeats: ``"ab"`` is a layer, ``"abc"`` a crystal in any case. Without it the
        file says so, or a gap that can only be vacuum (`layers.settle_periodicity`).

    Raises
    ------
    InvalidInputError
        When the file is missing, is no crystal structure, has two atoms on one place, or is a layer without
        room for vacuum.
    """
    path = Path(path)
    if not path.exists():
        raise InvalidInputError(f"{path}: no such file; give the path of a CIF or POSCAR")
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; give the path of a CIF or POSCAR in it")
    if setting is not None and not _is_cif(path):
        raise InvalidInputError(f"{path}: only a CIF can be read in a setting (--setting), and this is none")
    try:
        with quiet():
            crystal = read_cif(path, setting=setting, frame=frame) if _is_cif(path) else _read_other(path, frame)
    except InvalidInputError as problem:
        if str(path) in str(problem):
            raise
        raise InvalidInputError(f"{path}: {problem}") from problem
    except Exception as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        if _has_infinities(path):
            reason = "a coordinate or cell length is not a finite number"
        raise InvalidInputError(f"{path}: not a crystal structure that can be read ({reason[:160]})") from problem
    check_contacts(crystal)
    return settle_periodicity(crystal, periodic)


def _read_other(path: Path, frame: int | str | None) -> Crystal:
    from .otherformats import read_other

    return read_other(path, frame=frame)


def _is_cif(path: Path) -> bool:
    """Tell whether a file is a CIF by its name, or, where no other format claims that, by its content."""
    name = plain_name(path)
    if name.endswith((".cif", ".mcif")):
        return True
    from .otherformats import FORMATS

    if any(form.claims(name) for form in FORMATS):
        return False
    head = head_of(path).lower()
    return re.search(r"(?m)^\s*data_", head) is not None and "_cell_length_a" in head


def _has_infinities(path: Path) -> bool:
    return bool({"nan", "inf", "-inf"} & set(path.read_text(errors="replace").lower().split()))
