"""Built-in decisions."""
