"""What a CIF says of its symmetry, and the groups that this can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orderparam.crystals.settings import Setting, all_settings, find_settings, nearest_symbols, settings_of
from orderparam.errors import InvalidInputError

from .blocks import Block
from .operations import Operations, from_hall, from_listing, listed_texts

_OPERATIONS = (
    "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_space_group_symop_magn_operation_xyz",
    "_magnetic_space_group_symop_operation_xyz",
)  # fmt: skip
_CENTRINGS = ("_space_group_symop_magn_centering_xyz", "_magnetic_space_group_symop_centering_xyz")
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_HERMANN_MAUGUIN = (
    "_space_group_name_h_m_alt", "_symmetry_space_group_name_h_m", "_space_group_name_h_m",
    "_space_group_name_h_m_full", "_symmetry_space_group_name_h_m_full", "_symmetry_space_group_name_h_m_alt",
)  # fmt: skip
_NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_space_group_number")
_NUMBER_BEHIND = re.compile(r"\s*,?\s*[\[(]?\s*(?:no\.?|nr\.?|#|\()\s*\d+\s*[\])]?\s*$", re.IGNORECASE)
"""What some write behind a symbol: ``P n m a (62)``, ``Pnma, no. 62``."""

_CHOICE = ("_space_group_it_coordinate_system_code",)
_MAGNETIC = ("_space_group_magn_number_bns", "_space_group_magn_name_bns", "_space_group_magn_number_og")
_MODULATED = ("_space_group_symop_ssg_operation_algebraic", "_space_group_symop_magn_ssg_operation_algebraic",
              "_space_group_ssg_name", "_space_group_magn_ssg_name", "_cell_modulation_dimension")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reading:
    """One group that the file can mean.

    Attributes
    ----------
    name : str
        For people, and for ``--setting``: ``F d -3 m:2``, ``operations`` where the file lists them.
    operations : Operations
    number : int or None
        Of the space-group type, None where the operations are of no tabulated setting.
    """

    name: str
    operations: Operations
    number: int | None


@dataclass(frozen=True, eq=False)
class Statement:
    """What a file says of its symmetry.

    Attributes
    ----------
    kind : str
        ``operations``, ``Hall``, ``H-M``, ``number`` or ``setting``, in the order of their weight.
    said : str
        In words: ``H-M 'F d -3 m'``.
    readings : tuple of Reading
        The groups that this can mean.
    fallback : tuple of Reading
        Other settings of the same type, for files that name the type where they should name the setting.
    """

    kind: str
    said: str
    readings: tuple[Reading, ...]
    fallback: tuple[Reading, ...] = ()

    @property
    def allowed(self) -> tuple[Reading, ...]:
        """The groups that do not contradict the statement: a number names the type alone."""
        return (*self.readings, *self.fallback) if self.kind == "number" else self.readings


def statements_of(block: Block, path: Path) -> tuple[list[Statement], list[str]]:
    """Return what a block states, the strongest first (operations, Hall, Hermann-Mauguin, number), and notes.

    Raises
    ------
    InvalidInputError
        When nothing that it states can be understood, or it describes a modulated structure.
    """
    if block.value(*_MODULATED) is not None:
        raise InvalidInputError(
            f"{path}: a modulated structure (superspace group); expected one of three dimensions: give a commensurate "
            "supercell or the average structure"
        )
    where = str(path)
    found, notes, faults = [], [], []
    for read in (_listed, _from_hall_symbol, _from_symbol, _from_number):
        try:
            statement = read(block, notes)
        except InvalidInputError as problem:
            faults.append(str(problem))
            continue
        if statement is not None:
            found.append(statement)
    if faults and not found:
        raise InvalidInputError(f"{where}: {faults[0]}")
    notes = [f"{path.name}: {note}" for note in notes]
    notes += [f"{path.name}: {fault}; taken from what else the file states" for fault in faults]
    if not found and (magnetic := block.value(*_MAGNETIC)):
        raise InvalidInputError(
            f"{where}: the file names the magnetic group {magnetic} but lists no operations; list them "
            "(_space_group_symop_magn_operation.xyz), or give --setting"
        )
    return _by_choice(found, block), notes


def asked(text: str, where: str) -> Statement:
    """Return what ``--setting`` asks for: a Hermann-Mauguin or Hall symbol, or the number of a space group.

    Raises
    ------
    InvalidInputError
    """
    if _is_number(text.strip()):
        number = int(text)
        if not 1 <= number <= 230:
            raise InvalidInputError(f"--setting {text}: space groups have the numbers 1 to 230")
        return Statement("setting", f"--setting {text}", _readings(_standard(number)))
    if settings := find_settings(text):
        return Statement("setting", f"--setting {text}", _readings(settings))
    try:
        return Statement("setting", f"--setting {text}", (Reading(text, from_hall(text), _number_of_hall(text)),))
    except InvalidInputError:
        raise InvalidInputError(
            f"{where}: --setting {text}: no space-group symbol; {_similar(text)}, or a Hall symbol"
        ) from None


def _listed(block: Block, notes: list[str]) -> Statement | None:
    texts = listed_texts(block.column(*_OPERATIONS))
    if not texts:
        return None
    group, listed = from_listing(texts, listed_texts(block.column(*_CENTRINGS)))
    if group.order > listed:
        notes.append(
            f"the {listed} operations listed are no whole group; the {group.order} that they generate are taken"
        )
    return Statement("operations", _counted(listed), (Reading("operations", group, _type_of(group)),))


def _counted(n: int) -> str:
    return "the identity, listed as the one operation," if n == 1 else f"the {n} operations listed"


def _type_of(group: Operations) -> int | None:
    """Return the number of the space-group type where the operations are those of a tabulated setting."""
    import gemmi

    if group.denominator != gemmi.Op.DEN:
        return None
    triplets = [gemmi.Op("x,y,z") for _ in range(group.order)]
    for op, rotation, numerators in zip(triplets, group.rotations, group.numerators, strict=True):
        op.rot, op.tran = (rotation * gemmi.Op.DEN).tolist(), numerators.tolist()
    entry = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(triplets))
    return None if entry is None else int(entry.number)


def _from_hall_symbol(block: Block, notes: list[str]) -> Statement | None:
    symbol = block.value(*_HALL)
    if symbol is None:
        return None
    operations = from_hall(symbol)
    return Statement("Hall", f"Hall {symbol!r}", (Reading(symbol, operations, _number_of_hall(symbol)),))


def _from_symbol(block: Block, notes: list[str]) -> Statement | None:
    said = [value for tag in _HERMANN_MAUGUIN if (value := block.value(tag)) is not None and not _is_number(value)]
    if not said:
        return None
    found = [(symbol, settings) for symbol in said if (settings := find_settings(_NUMBER_BEHIND.sub("", symbol)))]
    if found:
        symbol, settings = found[0]
        for _, more in found[1:]:  # several tags: what they share
            settings = tuple(setting for setting in settings if setting in more) or settings
        others = tuple(setting for setting in _tabulated(settings[0].number) if setting not in settings)
        return Statement("H-M", f"H-M {symbol!r}", _readings(settings), _readings(others))
    raise InvalidInputError(f"{said[0]!r} is no space-group symbol; {_similar(said[0])}")


def _from_number(block: Block, notes: list[str]) -> Statement | None:
    symbol = block.value(*_HERMANN_MAUGUIN)
    text = block.value(*_NUMBER) or (symbol if symbol and _is_number(symbol) else None)
    if text is None:
        return None
    number = int(text) if _is_number(text) else 0
    if not 1 <= number <= 230:
        raise InvalidInputError(f"{text!r} is no space-group number; expected 1 to 230")
    standard = _standard(number)
    others = tuple(setting for setting in _tabulated(number) if setting not in standard)
    return Statement("number", f"number {number}", _readings(standard), _readings(others))


def _by_choice(found: list[Statement], block: Block) -> list[Statement]:
    """Narrow the readings by the coordinate system code (``2``, ``h``, ``b1``, ``ba-c``) where the file gives one."""
    code = (block.value(*_CHOICE) or "").lower()
    if not code:
        return found
    narrowed = []
    for statement in found:
        wanted = {s.name for s in all_settings() if s.choice.lower() == code or (s.choice[:1] == code and code in "12")}
        keep = tuple(r for r in (*statement.readings, *statement.fallback) if r.name in wanted)
        narrowed.append(replace(statement, readings=keep) if keep else statement)
    return narrowed


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 9


def _tabulated(number: int) -> tuple[Setting, ...]:
    return tuple(setting for setting in settings_of(number) if setting in all_settings()[:530])


def _standard(number: int) -> tuple[Setting, ...]:
    return tuple(setting for setting in settings_of(number) if setting.is_standard)


def _readings(settings: Sequence[Setting]) -> tuple[Reading, ...]:
    return tuple(Reading(setting.name, from_hall(setting.hall), setting.number) for setting in settings)


def _number_of_hall(symbol: str) -> int | None:
    wanted = " ".join(symbol.replace("_", " ").lower().split())
    known = next((setting.number for setting in all_settings() if setting.hall.lower() == wanted), None)
    return _type_of(from_hall(symbol)) if known is None else known


def _similar(symbol: str) -> str:
    near = nearest_symbols(symbol)
    return f"the nearest known ones are {', '.join(near)}" if near else "expected one such as 'P n m a' or 'F d -3 m:2'"
