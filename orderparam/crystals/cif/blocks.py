"""The blocks of a CIF as plain tables, whatever the spelling of its tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orderparam.crystals.filetext import text_of
from orderparam.errors import InvalidInputError

_GRAMMAR = (ValueError, RuntimeError)
"""What gemmi raises where a text breaks the grammar of CIF."""


@dataclass(frozen=True)
class Block:
    """One data block.

    Attributes
    ----------
    name : str
    columns : dict
        Tag to values; tags in lower case with ``_`` for every ``.`` and ``-``, so that old names and those of the new
        core, mmCIF and magnetic dictionaries are one. Unknown (``?``) and inapplicable (``.``) values are None.
    """

    name: str
    columns: dict[str, list[str | None]]

    def column(self, *tags: str) -> list[str | None]:
        """Return the values of the first of several tags that has a known one, else an empty list."""
        for tag in tags:
            values = self.columns.get(tag, [])
            if any(value is not None for value in values):
                return values
        return []

    def value(self, *tags: str) -> str | None:
        """Return the first known value of the first of several tags that has one."""
        return next((value for value in self.column(*tags) if value is not None), None)


def read_blocks(path: Path) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Return the blocks of a CIF, and notes on what had to be repaired to read it.

    Raises
    ------
    InvalidInputError
        When the file breaks the grammar of CIF, with the line.
    """
    text = text_of(path).replace("\x00", " ").replace("\N{MINUS SIGN}", "-")
    text, notes = _join_operations(text, path.name)
    try:
        parsed = _parse(text)
    except _GRAMMAR as first:
        mended, more = _mend(text, path.name)
        notes += more
        try:
            parsed = _parse(mended)
        except _GRAMMAR:
            raise InvalidInputError(f"{path}: not a crystal structure that can be read ({_reason(first)})") from None
    return tuple(Block(block.name, _columns(block)) for block in parsed), notes


def _parse(text: str):
    from gemmi import cif

    return cif.read_string(text)


def _reason(problem: Exception) -> str:
    """Return gemmi's message with the line in words: 'string:12:4: expected ...' is 'line 12: expected ...'."""
    line = (str(problem).strip().splitlines() or ["no data"])[0]
    return re.sub(r"^string:(\d+)(?::\d+)*(?:\(\d+\))?:?\s*", r"line \1: ", line)[:160]


def _columns(block) -> dict[str, list[str | None]]:
    from gemmi import cif

    def known(value: str) -> str | None:
        text = "" if cif.is_null(value) else cif.as_string(value).strip()
        return None if text in {"", "?", "."} else text

    columns: dict[str, list[str | None]] = {}
    for item in block:
        if item.pair is not None:
            columns.setdefault(_plain(item.pair[0]), [known(item.pair[1])])
        elif item.loop is not None:
            width = len(item.loop.tags)
            for number, tag in enumerate(item.loop.tags):
                columns.setdefault(_plain(tag), [known(value) for value in item.loop.values[number::width]])
    return columns


def _plain(tag: str) -> str:
    return re.sub(r"[.\-]", "_", tag.lower())


_LOOSE_OPERATION = re.compile(r"(\s*(?:\d+\s+)?)([-+xyz\d/.\s]+,[-+xyz\d/.\s]+,[-+xyz\d/.\s]+)$", re.IGNORECASE)


def _join_operations(text: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Join ``x, y, z`` without quotes, which the grammar would take for three values."""
    lines, joined, in_text = text.split("\n"), False, False
    for number, line in enumerate(lines):
        in_text ^= line.startswith(";")
        if not in_text and (found := _LOOSE_OPERATION.match(line)) and " " in found[2].strip():
            lines[number], joined = found[1] + "".join(found[2].split()), True
    if not joined:
        return text, ()
    return "\n".join(lines), (f"{name}: operations with blanks but without quotes are read whole",)


def _mend(text: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Mend faults of files written by hand, with notes: ``_tag P 21/c`` without quotes, no ``data_`` line."""
    lines, tags, in_text = [], [], False
    for line in text.splitlines():
        if line.startswith(";"):
            in_text = not in_text
        found = re.match(r"(\s*_\S+\s+)([^'\"\s#;][^'\"#]*\s[^'\"#]*[^'\"#\s])\s*$", line)
        if found and not in_text:
            tags.append(found[1].strip())
            line = f'{found[1]}"{found[2]}"'  # noqa: PLW2901
        lines.append(line)
    notes = [f"{name}: values with blanks but without quotes are read whole: {', '.join(tags)}"] if tags else []
    if not re.search(r"(?im)^\s*data_", text) and re.match(r"(\s|#.*\n)*(_|loop_)", text):
        lines.insert(0, "data_")
        notes.append(f"{name}: the file has no data_ line and is read as one block")
    return "\n".join(lines) + "\n", tuple(notes)


def crystal_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that hold a cell and atom sites."""
    return [
        block
        for block in blocks
        if block.value("_cell_length_a") is not None
        and (block.column("_atom_site_fract_x") or block.column("_atom_site_cartn_x"))
    ]
