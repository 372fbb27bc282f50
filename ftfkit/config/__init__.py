"""Declare: schema, composition, hashes."""
