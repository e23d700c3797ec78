"""The CIF reader: blocks, the symmetry that they state, sites, and what decides between readings."""
