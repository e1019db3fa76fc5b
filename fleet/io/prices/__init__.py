"""Spot price history from files: the AWS CLI, tables, other makers; and the cached form of a market."""
