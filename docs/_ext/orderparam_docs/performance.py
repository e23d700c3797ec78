"""The performance page: what the benchmarks measured, where and when."""


def page() -> str:
    """Return the page."""
    return "# Performance\n\nTo come.\n"
