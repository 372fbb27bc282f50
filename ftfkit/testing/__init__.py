"""Conformance suites and synthetic markets for plugin authors."""
