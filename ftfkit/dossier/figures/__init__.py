"""Figures of a dossier, as PNG bytes; matplotlib is imported when the first one is drawn."""

from ftfkit.dossier.figures.forest import forest
from ftfkit.dossier.figures.heatmap import heatmap
from ftfkit.dossier.figures.reliability import reliability

__all__ = ["forest", "heatmap", "reliability"]
