"""The exact covers compiled by numba, an optional extra."""
