"""ftfkit's own suite for feature sets."""

from __future__ import annotations

from ftfkit_track12_finer_bars.finer_bars import FinerBarFeatures

from ftfkit.testing import FeatureSetConformance


class TestFinerBars(FeatureSetConformance):
    components = (FinerBarFeatures(), FinerBarFeatures(rolling=True), FinerBarFeatures(rolling=True, short_bars=3))


class TestFinerBarsInLongerLabelBars(FeatureSetConformance):
    bar_hours = 8
    components = (FinerBarFeatures(rolling=True),)
