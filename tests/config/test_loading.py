"""A config put together from what is remembered is the one that Hydra's loader gives for the same overrides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ftfkit.config.compose import composer
from ftfkit.config.loading import load


class Counting:
    """A loader that counts what it is asked for."""

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self.n_loads = 0
        self.get_search_path = loader.get_search_path

    def load_configuration(self, *positional, **named) -> DictConfig:
        self.n_loads += 1
        return self._loader.load_configuration(*positional, **named)


def told(load_one, overrides: Sequence[str]) -> tuple[object, ...]:
    try:
        loaded = load_one(list(overrides))
    except HydraException as error:
        return type(error), str(error), str(error.__cause__)
    plain = {key: value for key, value in loaded.items() if key != "hydra"}
    return OmegaConf.to_container(OmegaConf.create(plain), resolve=True), dict(loaded.hydra.runtime.choices)


@pytest.mark.parametrize(
    "overrides",
    [
        ["data.days='${seed}'", "output.dir='my runs'", "loss=none", "+model.params.eta=0.1", "seed=7"],
        ["output.dir=x", "~gates.checks.f1_lift", "universe={name: a}", "universe.quote=X"],
        ["output.dir=x", "~metrics", "++metrics.acme={}"],
        ["+metrics.acme.name=a", "metrics=null"],
        ["+acme.a=1", "+acme=2"],
        ["loss.gamma=3", "loss=focal/standard"],
        ["loss.gamma=3"],
        ["data.days=1,2"],
        ["a.b@c=1"],
    ],
)
def test_it_is_what_the_loader_gives_or_refuses(overrides: list[str]) -> None:
    using = composer()

    def direct(asked: list[str]) -> DictConfig:
        return using.loader.load_configuration("config", asked, run_mode=RunMode.RUN, from_shell=False)

    for _ in range(2):
        assert told(lambda asked: load(using.loader, asked, using.folders), overrides) == told(direct, overrides)


def test_options_are_put_together_once_for_all_values_and_again_when_a_file_changed(tmp_path: Path) -> None:
    file = tmp_path / "trade" / "dear.yaml"
    file.parent.mkdir()
    file.write_text("fee_bps: 90\nslippage_bps: 2\n")
    using = composer([tmp_path])
    loader = Counting(using.loader)

    def trade(*values: str) -> object:
        loaded = load(loader, [*using.hydra_overrides, "trade=dear", *values], using.folders)
        return OmegaConf.to_container(loaded.trade)

    assert trade("trade.slippage_bps=3") == {"fee_bps": 90, "slippage_bps": 3}
    assert trade() == {"fee_bps": 90, "slippage_bps": 2}
    with pytest.raises(ConfigCompositionException, match="Could not override"):
        trade("trade.nosuch=1")
    assert loader.n_loads == 1
    file.write_text("fee_bps: 80\nslippage_bps: 2\n")
    os.utime(file, ns=(1, 1))
    assert trade() == {"fee_bps": 80, "slippage_bps": 2}
    assert loader.n_loads == 2


def test_a_file_that_is_no_longer_there_is_no_obstacle_and_its_option_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "trade"
    folder.mkdir()
    (folder / "dear.yaml").write_text("fee_bps: 90\nslippage_bps: 2\n")
    (folder / ".#dear.yaml").symlink_to("somebody@a.host:1")  # as Emacs locks what it edits
    using = composer([tmp_path])
    overrides = [*using.hydra_overrides, "trade=dear"]
    assert load(using.loader, overrides, using.folders).trade.fee_bps == 90
    (folder / "dear.yaml").unlink()
    with pytest.raises(HydraException, match="dear"):
        load(using.loader, overrides, using.folders)
