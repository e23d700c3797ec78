"""The validation page: this program beside published numbers and beside CrystOD."""


def page() -> str:
    """Return the page."""
    return "# Validation\n\nTo come.\n"
