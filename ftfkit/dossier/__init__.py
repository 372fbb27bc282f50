"""The results document of a run."""

from ftfkit.dossier.write import write_dossier

__all__ = ["write_dossier"]
