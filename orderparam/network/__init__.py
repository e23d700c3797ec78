"""The learned side: an equivariant network that carries the parent into the child, and its fit.

The only package of the library that imports torch, and only in the modules that compute: `problem` and `graph` do
without it. It knows nothing of space groups: a finite group acting on sites is all the symmetry it is told.
"""
