"""Tables on the terminal: nothing of them is cut off, however narrow it is."""

from __future__ import annotations

import pytest
from rich.console import Console

from orderparam.report.layout import plain_table

COLUMNS = ("input", "irrep", "direction", "isotropy", "share of the field")
ROW = ("Ga:1o", "SM2@1/5,1/5,0", "(a,0;0,0;0,0;0,0;0,0;0,0)", "Pnnm (58)", "64.8 %")


def printed(width: int, fold: tuple[int, ...] = ()) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(plain_table("Title", COLUMNS, [ROW], right=(4,), fold=fold))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [120, 80, 50])
@pytest.mark.parametrize("fold", [(), (2,)])
def test_nothing_is_cut_off(width, fold):
    text = sorted("".join(line.strip() for line in printed(width, fold)).replace(" ", "").replace("─", ""))
    assert text == sorted("Title" + "".join(COLUMNS + ROW).replace(" ", ""))
    assert all(len(line) <= width for line in printed(width, fold))


def test_what_fits_stays_on_one_line():
    assert all(any(cell in line for line in printed(120)) for cell in ROW)
    assert not all(any(cell in line for line in printed(50)) for cell in ROW)  # negative control
