"""Singular and plural."""

from orderparam.wording import agreeing, counted


def test_one_is_singular_and_all_other_numbers_are_plural():
    assert [counted(n, "mode") for n in range(4)] == ["0 modes", "1 mode", "2 modes", "3 modes"]
    assert counted(1, "copy", "copies") == "1 copy"
    assert counted(0, "copy", "copies") == "0 copies"
    assert [agreeing(n, "leaves", "leave") for n in (0, 1, 2)] == ["leave", "leaves", "leave"]
