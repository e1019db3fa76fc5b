"""The allocation strategies: one file each, built on nothing but what ``fleet`` makes public."""
