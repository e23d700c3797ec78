"""Self-contained HTML pages: pure functions of public records."""

from .pages import carriers_page, directions_page, domains_page, fit_page, modes_page, subgroups_page

__all__ = ["carriers_page", "directions_page", "domains_page", "fit_page", "modes_page", "subgroups_page"]
