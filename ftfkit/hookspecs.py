"""What a plugin may offer. This file is the whole contract; docs/plugins.md shows each hook at work.

Every hook is optional. A hook that offers components returns a mapping of name to class, or to the lazy string
``"module:Class"``, which keeps start-up fast. Names are unique over all plugins of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

if TYPE_CHECKING:
    from ftfkit.components import (
        DataSource,
        DecisionRule,
        DossierSection,
        FeatureSet,
        GateCheck,
        LabelScheme,
        Loss,
        Metric,
        Model,
        Splitter,
        TargetTransform,
    )
    from ftfkit.types import Verdict

API_VERSION = 1
GROUP = "ftfkit"

_T = TypeVar("_T")
Offer = Mapping[str, "type[_T] | str"]

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def ftfkit_data_sources() -> Offer[DataSource]:
    """Data sources, selected by ``data.name``."""


@hookspec
def ftfkit_feature_sets() -> Offer[FeatureSet]:
    """Feature sets, selected by ``features.name``."""


@hookspec
def ftfkit_label_schemes() -> Offer[LabelScheme]:
    """Label schemes, selected by ``label.name``."""


@hookspec
def ftfkit_target_transforms() -> Offer[TargetTransform]:
    """Target transforms, selected by ``targets.name``."""


@hookspec
def ftfkit_splitters() -> Offer[Splitter]:
    """Purged splitters, selected by ``cv.name``."""


@hookspec
def ftfkit_losses() -> Offer[Loss]:
    """Losses, selected by ``loss.name``."""


@hookspec
def ftfkit_models() -> Offer[Model]:
    """Models, selected by ``model.name``."""


@hookspec
def ftfkit_decision_rules() -> Offer[DecisionRule]:
    """Decision rules, selected by ``decision.name``."""


@hookspec
def ftfkit_metrics() -> Offer[Metric]:
    """Metrics that add columns to a row, listed under ``metrics``."""


@hookspec
def ftfkit_gate_checks() -> Offer[GateCheck]:
    """Gate checks, listed under ``gates.checks``."""


@hookspec
def ftfkit_dossier_sections() -> Offer[DossierSection]:
    """Extra dossier sections; all that are registered are rendered."""


@hookspec
def ftfkit_conf_folders() -> tuple[Path, ...]:
    """Folders laid out like ``conf/`` whose options join the core's; a name clash is an error."""


@hookspec
def ftfkit_run_started(run_id: str, plan: Mapping[str, Any]) -> None:
    """Observe the start of a run; ``plan`` is what ``plan.json`` holds, as a copy."""


@hookspec
def ftfkit_cell_finished(run_id: str, row: Mapping[str, Any]) -> None:
    """Observe one finished, reused or failed cell; ``row`` is a copy."""


@hookspec
def ftfkit_run_finished(run_id: str, verdict: Verdict, folder: Path) -> None:
    """Observe the end of a run; ``folder`` holds its files, to be read and not changed."""


@hookspec
def ftfkit_run_failed(run_id: str, error: BaseException) -> None:
    """Observe a run that was interrupted or refused after it had started."""
