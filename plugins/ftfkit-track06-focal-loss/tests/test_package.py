from __future__ import annotations

import pytest
import yaml
from ftfkit_track06_focal_loss import conf_dir, package_file
from ftfkit_track06_focal_loss.focal import FocalLoss

from ftfkit.config.sections import TrackConfig
from ftfkit.plugins import registry

PUBLISHED = {
    "mild_focus": (1, 0.25),
    "standard": (2, 0.25),
    "aggressive_focus": (4, 0.25),
    "class_balanced": (2, 0.75),
}


def test_is_registered_by_its_entry_point() -> None:
    assert registry().load("loss", "focal") is FocalLoss
    assert ("ftfkit-track06-focal-loss", conf_dir()) in registry().conf_folders


@pytest.mark.parametrize("option", PUBLISHED)
def test_options_are_the_published_ones(option: str) -> None:
    values = yaml.safe_load((conf_dir() / "loss" / "focal" / f"{option}.yaml").read_text())
    assert values.pop("name") == "focal"
    loss = FocalLoss(**values)
    assert (loss.gamma, loss.alpha) == PUBLISHED[option]


def test_track_declares_the_published_experiment() -> None:
    values = yaml.safe_load((conf_dir() / "track" / "06_focal_loss.yaml").read_text())
    track = TrackConfig(**values["track"])
    assert track.variants == {"loss": tuple(f"focal/{name}" for name in PUBLISHED)}
    assert values["baseline"] == {"decision": "fixed"}
    assert {"override /decision": "fixed"} in values["defaults"]
    assert {"override /gates": "f1_buy_boost"} in values["defaults"]
    assert track.readiness is not None
    assert package_file(track.readiness.rsplit("/", 1)[1]).is_file()
