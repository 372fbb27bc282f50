"""Built-in cv."""
