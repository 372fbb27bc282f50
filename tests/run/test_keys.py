from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ftfkit.components import Loss
from ftfkit.config.experiment import compose
from ftfkit.config.schema import Spec
from ftfkit.plugins import registry
from ftfkit.run import keys
from ftfkit.types import Asset, Universe

NOT_RESULTS = {  # what they pass on enters keys by its values
    "ftfkit",
    "ftfkit.errors",
    "ftfkit.hookspecs",
    "ftfkit.plugin_registry",
    "ftfkit.plugins",
    "ftfkit.config.schema",
    "ftfkit.config.sections",
}
CONTEXT = ("universe=demo", "hpo=fixed")


@cache
def _spec(*overrides: str) -> Spec:
    experiment = compose([*CONTEXT, *overrides])
    return (experiment.variants or (experiment.baseline,))[0].spec


def _bases(*overrides: str) -> tuple[str, str]:
    spec = _spec(*overrides)
    return keys.fit_basis(spec, registry()), keys.row_basis(spec)


@pytest.mark.parametrize(
    "override",
    [
        "label.stop_atr=1",
        "balancing=none",
        "cv.embargo_bars=12",
        "cv.repeats=2",
        "model.params.max_depth=3",
        "hpo=quick",
        "hpo.objective=logloss",
        "decision=fixed",  # another F1 rule of the search
        "seed=1",
    ],
)
def test_what_changes_predictions_changes_the_fit_key(override: str) -> None:
    assert _bases(override)[0] != _bases()[0]


@pytest.mark.parametrize("override", ["trade.fee_bps=5", "calibration=platt", "decision=matched_rate"])
def test_what_changes_the_row_alone_keeps_the_fit(override: str) -> None:
    fit, row = _bases(override)
    assert fit == _bases()[0]
    assert row != _bases()[1]


def test_the_decision_enters_the_fit_only_through_the_f1_rule() -> None:
    plain, fixed = (_bases("hpo.objective=logloss", *more) for more in ((), ("decision=fixed",)))
    assert plain[0] == fixed[0]
    assert plain[1] != fixed[1]


@pytest.mark.parametrize(
    "override",
    [
        "gates=f1_buy_boost",
        "gates.required_lift=0.02",
        "stats.seed=1",
        "executor.workers=3",
        "output.dir=elsewhere",
        "store.url=sqlite:///elsewhere.db",
        "universe.name=other",
        "data.seed=8",  # data enters by its fingerprint
    ],
)
def test_what_changes_no_row_enters_no_key(override: str) -> None:
    assert _bases(override) == _bases()


def test_equal_values_are_equal_however_they_are_written() -> None:
    assert _bases("label.stop_atr=1") == _bases("label.stop_atr=1.0")


def test_every_part_of_a_cell_enters_its_fit_key() -> None:
    asset, bars, edges = Asset("AAVE", "USDC"), {"AAVEUSDC": "a" * 64}, np.array([0, 10, 20])
    alone = Universe("one", (asset,), "USDC")
    key = keys.fit_key("basis", alone, asset, bars, edges, 0)
    assert len(key) == 64
    others = [
        keys.fit_key("other", alone, asset, bars, edges, 0),
        keys.fit_key("basis", alone, Asset("ARB", "USDC"), bars, edges, 0),
        keys.fit_key("basis", alone, asset, {"AAVEUSDC": "b" * 64}, edges, 0),
        keys.fit_key("basis", alone, asset, bars | {"BTCUSDC": "c" * 64}, edges, 0),
        keys.fit_key("basis", alone, asset, bars, np.array([0, 11, 20]), 0),
        keys.fit_key("basis", alone, asset, bars, edges, 1),
    ]
    assert len({key, *others}) == 7


def test_the_universe_enters_the_fit_key_where_other_assets_are_looked_at() -> None:
    own, leader = Asset("AAVE", "USDC"), Asset("BTC", "USDC")
    few, many = Universe("few", (own,), "USDC"), Universe("many", (own, leader), "USDC")
    edges, bars = np.array([0, 10]), {"AAVEUSDC": "a" * 64}

    def key(universe: Universe, bars: dict[str, str]) -> str:
        return keys.fit_key("basis", universe, own, bars, edges, 0)

    assert key(few, bars) == key(many, bars)
    both = bars | {"BTCUSDC": "c" * 64}
    assert key(few, both) != key(many, both)
    assert key(few, both) == key(replace(few, name="other"), both)


def test_the_baseline_enters_the_row_key_where_it_is_needed() -> None:
    assert len({keys.row_key("r", "f"), keys.row_key("r", "f", "b"), keys.row_key("r", "f", "c")}) == 3


def test_nan_enters_no_key() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        keys.canonical({"x": float("nan")})


def _imports(module: str) -> set[str]:
    """Modules of ftfkit that a module imports, at any depth of its code."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(str(spec.origin)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if _is_module(name)}
            found |= modules or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("ftfkit")}


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_all_code_a_cell_can_reach_is_hashed() -> None:
    reached, waiting = set[str](), {"ftfkit.run.cell"}
    while waiting:
        module = waiting.pop()
        reached.add(module)
        if module not in NOT_RESULTS:
            waiting |= _imports(module) - reached
    hashed = {*keys.FIT_MODULES, *keys.ROW_MODULES}
    packages = ("ftfkit.types.", "ftfkit.components.")  # hashed as a whole
    missing = {m for m in reached - NOT_RESULTS if m not in hashed and not m.startswith(packages)}
    assert missing == set()
    assert hashed - {"ftfkit.types"} <= reached


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin package on the path, with a loss of its own beside a helper module."""
    folder = tmp_path / "acme_losses"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "helper.py").write_text("SCALE = 1\n")
    (folder / "loss.py").write_text(
        "from ftfkit.builtin.losses.logistic import LogisticLoss\nclass AcmeLoss(LogisticLoss):\n    native = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("acme_losses")]:
        del sys.modules[name]
    keys._source_hash.cache_clear()


def _hashes(cls: type[Loss]) -> dict[str, str]:
    keys._source_hash.cache_clear()
    return keys.sources([], [cls])


def test_a_plugin_is_hashed_as_a_whole_with_the_kind_it_builds_on(package: Path) -> None:
    from acme_losses.loss import AcmeLoss

    before = _hashes(AcmeLoss)
    assert set(before) == {"acme_losses", "ftfkit.builtin.losses"}
    (package / "helper.py").write_text("SCALE = 2\n")
    after = _hashes(AcmeLoss)
    assert after["acme_losses"] != before["acme_losses"]
    assert after["ftfkit.builtin.losses"] == before["ftfkit.builtin.losses"]


def test_neither_line_ends_nor_other_files_count(package: Path) -> None:
    from acme_losses.loss import AcmeLoss

    before = _hashes(AcmeLoss)
    (package / "helper.py").write_bytes(b"SCALE = 1\r\n")
    (package / "README.md").write_text("about")
    assert _hashes(AcmeLoss) == before


def test_versions_are_those_required_without_extras() -> None:
    found = keys.versions(_spec(), registry())
    assert {"ftfkit", "python", "numpy", "xgboost", "optuna", "scikit-learn", "scipy"} <= set(found)
    assert not {"dask", "distributed", "ray", "psycopg"} & set(found)


def test_what_a_marker_excludes_enters_no_key_though_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "acme_marked-1.0.dist-info"
    metadata.mkdir()
    requires = ("numpy", "SciPy ; python_version >= '3'", "scikit_learn ; python_version < '3'", "rich ; extra == 'x'")
    lines = ["Name: acme-marked", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
    (metadata / "METADATA").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    assert set(keys._installed(("acme-marked",))) == {"acme-marked", "numpy", "scipy"}


def test_a_model_that_names_other_models_is_hashed_with_them() -> None:
    spec = _spec()
    nested = {**spec.raw, "targets": {"name": "hard", "members": [{"of": "xgboost"}]}}
    named = keys.nested(nested, registry())
    assert type(spec.model) in [registration.load() for registration in named]


def test_a_feature_set_that_extends_another_is_hashed_with_it() -> None:
    spec = _spec()
    extended = {**spec.raw, "features": {"name": "wider", "base": "technical"}}
    named = keys.nested(extended, registry())
    assert ("feature_set", "technical") in [(registration.kind, registration.name) for registration in named]
