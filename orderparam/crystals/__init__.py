"""Crystals and finite sets of points as files hold them."""
