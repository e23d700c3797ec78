"""JSON as text, versions, and files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

VERSION = 1
"""Of every schema; fields may be added, none renamed."""


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for package in ("orderparam", "numpy", "scipy", "spglib", "gemmi", "pymatgen", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def to_json(record: dict[str, Any]) -> str:
    """Return a record as JSON text: a line for each field, arrays of numbers on one line."""
    return _text(record, 1) + "\n"


def _text(value: Any, depth: int) -> str:
    """Encode dictionaries and lists of them over several lines, all else by json's compiled encoder."""
    if isinstance(value, dict) and value:
        parts, (start, end) = [f"{_line(str(key))}: {_text(part, depth + 1)}" for key, part in value.items()], "{}"
    elif isinstance(value, list | tuple) and any(isinstance(part, dict) for part in value):
        parts, (start, end) = [_text(part, depth + 1) for part in value], "[]"
    else:
        return _line(value)
    pad = "\n" + " " * depth
    return start + pad + f",{pad}".join(parts) + pad[:-1] + end


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a record")


_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode


def check_writable(path: str | Path) -> None:
    """Refuse a place that cannot be written to; nothing is left behind.

    Raises
    ------
    InvalidInputError
    """
    path = Path(path)
    try:
        place = next(p for p in path.absolute().parents if p.exists())
        tempfile.TemporaryFile(dir=place).close()
    except OSError as problem:
        raise InvalidInputError(f"{path}: cannot be written ({problem.strerror or problem})") from problem


def write_text(path: str | Path, text: str) -> None:
    """Write a file whole or not at all: to a temporary name beside it, then renamed.

    Raises
    ------
    InvalidInputError
        When the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise InvalidInputError(f"{path}: cannot be written ({problem.strerror or problem})") from problem


def write_texts(folder: str | Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files into a folder once all of them are there; return their paths.

    Raises
    ------
    InvalidInputError
        When the place cannot be written to, or is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"--write {folder}: this is a file, not a folder")
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]
