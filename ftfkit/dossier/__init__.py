"""The results document of a run."""
