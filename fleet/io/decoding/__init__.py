"""The one way in for outside values: bytes, JSON and tables become typed, checked values."""
