"""A store of outputs, valid as long as the sources that made them do not change."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
STORE = ROOT / "docs" / "_cache"
FILES = STORE / "files"
"""Files that commands have made and that the site holds: `html_extra_path`."""

SOURCES = (
    "orderparam/**/*.py",
    "orderparam/**/*.js",
    "orderparam/**/*.css",
    "orderparam/data/*",
    "cli/**/*.py",
    "structures/*/*.cif",
    "structures/*/*.xyz",
)


def keeps_stale() -> bool:
    """Whether outputs of other sources may be kept."""
    return bool(os.environ.get("ORDERPARAM_DOCS_STALE"))


@cache
def sources_digest() -> str:
    """Return a hash of everything that the output of a command depends on.

    Whoever writes text may set ORDERPARAM_DOCS_STALE for a quick look, and keeps the outputs of other sources.
    """
    if keeps_stale():
        return "stale"
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def key_of(*parts: str) -> str:
    """Return the name of an entry: a hash of what it is made of and of the sources."""
    return hashlib.sha256("\0".join((sources_digest(), *parts)).encode()).hexdigest()[:24]


def load(key: str) -> str | None:
    """Return what was stored under a name, or None."""
    path = STORE / f"{key}.json"
    return json.loads(path.read_text()) if path.exists() else None


def save(key: str, value: object) -> None:
    """Store a value."""
    STORE.mkdir(exist_ok=True)
    partial = STORE / f"{key}.part"
    partial.write_text(json.dumps(value))
    partial.replace(STORE / f"{key}.json")
