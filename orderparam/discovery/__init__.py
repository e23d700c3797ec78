"""The roof over matching, symmetry and network: relate two structures, find, fit, name and verify."""
