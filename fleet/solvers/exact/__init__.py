"""Closed forms and covers that are exact without an LP engine."""
