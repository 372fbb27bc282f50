"""Rows to comparisons to gates to verdict; pure functions."""
