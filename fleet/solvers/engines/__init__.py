"""LP and MIP engines (HiGHS, SciPy, PuLP), what bounds them, and the check of their answers."""
