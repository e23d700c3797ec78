"""The performance page: what the benchmarks measured, where and when."""

from __future__ import annotations

import ast
import json
from typing import Any

from . import cache

IDLE = 0.3
"""Up to this load before the measurement a machine with two cores had nothing else to do."""

RESULTS = cache.ROOT / "docs" / "data" / "benchmarks.json"


def page() -> str:
    """Return the page, from the results that `scripts/measure.py` has stored."""
    if not RESULTS.exists():
        return "\n\n".join([_INTRODUCTION, "No results are stored yet.", _TAIL]) + "\n"
    record = json.loads(RESULTS.read_text())
    machine = record["machine"]
    facts = [
        f"- {machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}",
        f"- {record['date']}; load of the machine before {record['load'][0]:.1f}, after {record['load'][1]:.1f}",
        "- " + ", ".join(f"{name} {number}" for name, number in record["versions"].items()),
    ]
    rows = [_row(one) for one in record["benchmarks"]]
    notes = f"{_load_note(record)} {_missed_note(record)}"
    return "\n\n".join([_INTRODUCTION, "\n".join(facts), notes, _HEAD + "\n".join(rows), _TAIL]) + "\n"


def _load_note(record: dict[str, Any]) -> str:
    if record["load"][0] <= IDLE:
        return "The machine had nothing else to do."
    return "The machine was busy with other work: read the times as upper bounds, and the ratios as what they are."


def _missed_note(record: dict[str, Any]) -> str:
    missed, all_of_them = sum(one["failed"] for one in record["benchmarks"]), len(record["benchmarks"])
    if not missed:
        return f"All {all_of_them} kept their bounds."
    return f"{missed} of {all_of_them} missed a bound in this run, and are marked."


def _row(one: dict[str, Any]) -> str:
    extra = "; ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in one["extra"].items())
    missed = " **bound missed**" if one["failed"] else ""
    summary = _summary(one["file"], one["test"])
    return f"| {summary}{_arguments(one)} | {_time(one['median'])} | {one['rounds']} | {extra}{missed} |"


def _summary(file: str, test: str) -> str:
    """Return the first line of what the benchmark says of itself."""
    tree = ast.parse((cache.ROOT / file).read_text())
    found = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == test), None)
    text = (ast.get_docstring(found) or "") if found else ""
    return text.partition("\n")[0].replace("|", r"\|").rstrip(".") or test


def _arguments(one: dict[str, Any]) -> str:
    return f" [{one['parameters']}]" if one["parameters"] else ""


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def _number(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_number(one)}" for name, one in value.items())
    if isinstance(value, list):
        return f"({', '.join(map(_number, value))})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


_INTRODUCTION = """# Performance

Medians of `tests/benchmarks`, stored by `scripts/measure.py`; nothing here is typed by hand. Where a peer takes part it
ran in the same session. Each benchmark asserts its bound; where a row names its *pace*, a bound in seconds is
multiplied by it: how much slower CrystOD is at that moment than where the bound was set (never below 1)."""

_HEAD = "| benchmark | median | rounds | beside it |\n|---|---|---|---|\n"

_TAIL = "Run them on your machine: `python scripts/measure.py`, or `pytest tests/benchmarks -o addopts=`."
