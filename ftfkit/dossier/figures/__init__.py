"""Figures of a dossier, as PNG bytes; matplotlib is imported when the first one is drawn."""

from ftfkit.dossier.figures.forest import forest
from ftfkit.dossier.figures.heatmap import heatmap
from ftfkit.dossier.figures.reliability import ReliabilityBins, reliability

__all__ = ["ReliabilityBins", "forest", "heatmap", "reliability"]
