"""Conformance of dossier sections: Markdown from any run, finished or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ftfkit.components import DossierSection
from ftfkit.testing.conformance import Conformance
from ftfkit.testing.evidence import BASELINE, HOPELESS, PROMISING, comparisons_of, rows_of
from ftfkit.types import Comparison

RUNS = ("promising", "hopeless", "baseline alone", "an error row")


class DossierSectionConformance(Conformance):
    """A section has a title, renders whatever rows there are, and keeps below the headings of the dossier."""

    def test_has_a_title_of_one_line(self, component: DossierSection) -> None:
        assert component.title.strip()
        assert "\n" not in component.title

    def test_needs_no_parameters(self, component: DossierSection) -> None:
        """Sections are rendered because they are registered; no config could set parameters."""
        assert isinstance(type(component)(), DossierSection)

    @pytest.mark.parametrize("run", RUNS)
    def test_renders_every_kind_of_run(self, component: DossierSection, run: str) -> None:
        text = component.render(*_run(run))
        assert isinstance(text, str)
        assert text.strip()

    def test_headings_stay_below_those_of_the_dossier(self, component: DossierSection) -> None:
        text = component.render(*_run("promising"))
        assert not [line for line in text.splitlines() if line.startswith(("# ", "## ", "### "))]

    def test_is_deterministic_and_leaves_the_rows_alone(self, component: DossierSection) -> None:
        rows, comparisons = _run("promising")
        first = component.render(rows, comparisons)
        assert component.render(rows, comparisons) == first
        pd.testing.assert_frame_equal(rows, _run("promising")[0])


def _run(run: str) -> tuple[pd.DataFrame, dict[str, Comparison]]:
    truth = HOPELESS if run == "hopeless" else PROMISING
    rows = rows_of(truth)
    if run == "baseline alone":
        return rows[rows["variant"] == BASELINE].reset_index(drop=True), {}
    if run == "an error row":
        numbers = rows.select_dtypes("number").columns.difference(["fold"])
        rows.loc[0, numbers] = np.nan
        rows.loc[0, ["status", "error"]] = ["error", "Traceback: something failed"]
    return rows, comparisons_of(truth)
