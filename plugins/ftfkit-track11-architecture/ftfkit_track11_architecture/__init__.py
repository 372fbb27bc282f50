"""Track 11: models beside XGBoost, and ensembles of the registered ones, as an ftfkit plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ftfkit import hookimpl

ftfkit_api_version = 1


def conf_dir() -> Path:
    """Folder with this package's conf groups: beside the module in a wheel, above it in a checkout."""
    beside = Path(__file__).parent / "conf"
    return beside if beside.is_dir() else Path(__file__).parent.parent / "conf"


@hookimpl
def ftfkit_models() -> Mapping[str, str]:
    return {
        "lightgbm": "ftfkit_track11_architecture.lightgbm:LightGBMModel",
        "hist_gradient_boosting": "ftfkit_track11_architecture.hist_gradient_boosting:HistGradientBoostingModel",
        "logistic_regression": "ftfkit_track11_architecture.logistic_regression:LogisticRegressionModel",
        "bagged_seeds": "ftfkit_track11_architecture.bagged_seeds:BaggedSeeds",
        "stacked": "ftfkit_track11_architecture.stacked:StackedModel",
    }


@hookimpl
def ftfkit_conf_folders() -> tuple[Path, ...]:
    return (conf_dir(),)
