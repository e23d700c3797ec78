"""The program in process: what it prints, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from orderparam_cli.main import run

STRUCTURES = Path(__file__).parents[2] / "structures"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def program(capsys, monkeypatch) -> Callable[..., Outcome]:
    """Call the program with arguments."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = 0
        try:
            run([str(a) for a in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def refused(program) -> Callable[..., str]:
    """Call the program with bad input; return its one line, after checking that it is one line and exit code 1."""

    def call(*arguments: object) -> str:
        outcome = program(*arguments)
        assert outcome.code == 1, (outcome.out, outcome.err)
        assert outcome.out == ""
        errors = [line for line in outcome.err.splitlines() if not line.startswith("warning: ")]
        assert len(errors) == 1, outcome.err
        assert errors[0].startswith("error: ")
        assert "Traceback" not in outcome.err
        return errors[0]

    return call


@pytest.fixture
def lamno3() -> tuple[Path, Path]:
    return STRUCTURES / "perovskite/LaMnO3_221.cif", STRUCTURES / "perovskite/LaMnO3_62.cif"
