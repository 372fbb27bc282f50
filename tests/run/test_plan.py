from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from ftfkit.builtin.cv.purged_kfold import PurgedKFold
from ftfkit.config.experiment import compose
from ftfkit.errors import UNPLACED, ConfigError, DataError, DataSettingError
from ftfkit.run.market import fingerprints, load_market
from ftfkit.run.plan import Plan, make_plan, plan_document, stamped
from ftfkit.run.plan_json import plan_hash, readiness_note
from ftfkit.types import Asset, IntArray, Split

NOW = datetime(2025, 3, 1, 12, 30, 15, tzinfo=UTC)
TINY = ("universe=demo", "hpo=fixed", "data.days=60")


@cache
def _plan(*overrides: str) -> Plan:
    return make_plan(compose([*TINY, *overrides]), NOW)


def _row_keys(plan: Plan, variant: str | None = None) -> dict[tuple[str, int], str]:
    name = variant or plan.baseline.name
    return {(cell.asset.name, cell.fold): cell.row_key for cell in plan.cells if cell.variant == name}


def test_cells_are_variants_by_assets_by_folds_in_order() -> None:
    plan = _plan("balancing=balanced,none")
    cells = [(cell.variant, cell.asset.name, cell.fold) for cell in plan.cells]
    assert cells == [
        (variant, asset, fold)
        for variant in ("balanced", "none")
        for asset in ("AAVEUSDC", "ARBUSDC")
        for fold in range(5)
    ]
    assert len({cell.row_key for cell in plan.cells}) == 20


def test_the_baseline_alone_is_a_plan_too() -> None:
    assert {cell.variant for cell in _plan().cells} == {"baseline"}


def test_a_cell_has_the_same_key_in_any_plan() -> None:
    assert _row_keys(_plan("balancing=balanced,none")) == _row_keys(_plan())
    assert _row_keys(_plan("balancing=none", "gates=f1_buy_boost", "universe.assets=[ARB,AAVE]")) == _row_keys(_plan())


def test_the_work_goes_fold_by_fold_with_the_variants_side_by_side() -> None:
    plan = _plan("balancing=balanced,none")
    ranked = sorted(plan.cells, key=lambda cell: cell.rank)
    assert [cell.rank for cell in ranked] == list(range(20))
    assert [cell.variant for cell in ranked] == ["balanced", "none"] * 10
    assert len({cell.asset for cell in ranked[:10]}) == 1


def test_keys_depend_on_bars_and_not_on_where_they_lie(tmp_path: Path) -> None:
    source = compose([*TINY]).baseline.spec.data
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        for base in ("AAVE", "ARB"):
            frame = source.read(Asset(base, "USDC")).frame
            frame.to_parquet(tmp_path / place / f"{base}USDC_1h.parquet")
    files = ("universe=demo", "hpo=fixed", "data=parquet")
    here, there = (make_plan(compose([*files, f"data.path={tmp_path}/{place}"]), NOW) for place in ("here", "there"))
    assert _row_keys(here) == _row_keys(there) == _row_keys(_plan())
    assert here.plan_hash == there.plan_hash
    text = json.dumps(plan_document(here)["cells"])
    assert str(tmp_path) not in text


def test_other_bars_are_other_cells_and_more_of_what_is_not_read_is_not() -> None:
    longer = ("data.days=61", "data.holdout_from=2022-03-02")
    assert _row_keys(_plan(*longer)) == _row_keys(_plan())
    mine, other = _row_keys(_plan()), _row_keys(_plan("data.seed=8"))
    assert not set(mine.values()) & set(other.values())


@pytest.mark.parametrize(
    ("moment", "end"), [("2022-03-02", "2022-03-02T00:00"), ("2022-02-20T00:30", "2022-02-20T00:00")]
)
def test_a_hold_out_may_be_of_bars_to_come_or_start_inside_one(moment: str, end: str) -> None:
    plan = _plan(f"data.holdout_from={moment}")
    assert plan_document(plan)["period"]["end_utc"].startswith(end)


def test_fingerprints_are_those_of_the_cells_market() -> None:
    plan = _plan("data.holdout_from=2022-02-20")
    spec = plan.baseline.spec
    for asset in spec.universe.universe.assets:
        market = load_market(spec.data, spec.features, spec.universe.universe, asset, 4, plan.survey.period[1])
        assert fingerprints(market) == {asset.name: plan.survey.fingerprints[asset.name]}


def test_nothing_of_the_hold_out_is_in_the_plan() -> None:
    plan = _plan("data.holdout_from=2022-02-20")
    document = plan_document(plan)
    assert document["period"]["end_utc"] == "2022-02-20T00:00:00+00:00"
    assert plan.survey.edges[-1] <= plan.survey.period[1]
    assert document["data"]["AAVEUSDC"]["n_native"] == 50 * 24
    longer = _plan("data.holdout_from=2022-02-20", "data.days=61")
    assert _row_keys(longer) == _row_keys(plan)


def test_bars_that_are_not_held_in_memory_give_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    held = _plan()
    monkeypatch.setattr("ftfkit.run.survey.ROWS_HELD", 0)
    read_twice = make_plan(compose([*TINY]), NOW)
    assert read_twice.plan_hash == held.plan_hash


def test_matched_rate_takes_the_tuned_baseline() -> None:
    matched, tuned = _plan("decision=matched_rate", "balancing=none"), _plan("balancing=none")
    assert _row_keys(matched) == _row_keys(tuned)
    baseline = _row_keys(matched)
    for cell in matched.cells:
        if cell.variant == "none":
            assert cell.baseline_row_key == baseline[cell.asset.name, cell.fold]
            assert cell.row_key != _row_keys(tuned, "none")[cell.asset.name, cell.fold]
    fits = {cell.row_key: cell.fit_key for cell in tuned.cells}
    assert {cell.fit_key for cell in matched.cells} == set(fits.values())


def test_the_run_id_tells_time_hash_and_label_scheme() -> None:
    plan = _plan()
    assert plan.run_id == f"ftf_20250301_123015_{plan.plan_hash[:6]}_ATR0.5_1.5_H4"
    later = stamped(plan, NOW + timedelta(seconds=1))
    assert later.run_id == f"ftf_20250301_123016_{plan.plan_hash[:6]}_ATR0.5_1.5_H4"
    assert later.plan_hash == plan.plan_hash


def test_several_label_schemes_are_multi() -> None:
    options = sorted(path.stem for path in (Path(__file__).parents[2] / "conf" / "label").glob("*.yaml"))
    plan = _plan(f"label={options[0]},{options[1]}")
    assert plan.run_id.endswith("_multi")
    assert len(plan.cells) in {20, 30}


def test_the_document_is_json_and_carries_its_own_hash() -> None:
    document = json.loads(json.dumps(plan_document(_plan("balancing=balanced,none")), allow_nan=False))
    assert document["plan_hash"] == plan_hash(document) == _plan("balancing=balanced,none").plan_hash
    assert document["schema"] == 1
    assert document["command"] == "python -m ftfkit universe=demo hpo=fixed data.days=60 balancing=balanced,none"
    assert document["synthetic"] is True
    assert document["factor_groups"] == ["balancing"]
    assert document["universe"] == {"name": "demo", "quote": "USDC", "assets": ["AAVEUSDC", "ARBUSDC"]}
    assert document["variants"]["none"]["options"] == {"balancing": "none"}
    assert document["variants"]["none"]["config"]["balancing"] == {"class_weight": None, "uniqueness": False}
    assert document["folds"] == [0, 1, 2, 3, 4]
    assert len(document["period"]["edges_utc"]) == 6
    assert document["readiness"] == {"path": None, "sha256": None}
    assert {
        "name": "ftfkit",
        "distribution": "ftfkit",
        "version": "0.1.0",
        "role": "result",
    } in document["plugins"]
    watched = [*document["plugins"], {"name": "w", "distribution": "w", "version": "1", "role": "observer"}]
    assert plan_hash({**document, "plugins": watched}) == document["plan_hash"]
    other = [{**plugin, "version": "9"} for plugin in document["plugins"]]
    assert plan_hash({**document, "plugins": other}) != document["plan_hash"]
    asset = document["data"]["ARBUSDC"]
    assert set(asset) == {
        "sha256", "origin", "n_native", "n_label", "quality", "n_events", "dropped", "tie_share", "prevalence",
    }  # fmt: skip
    assert asset["n_native"] == 60 * 24
    assert asset["n_label"] == 60 * 6
    assert asset["n_events"] + sum(asset["dropped"].values()) == 60 * 6
    assert 0 < asset["prevalence"] < 1


@pytest.mark.parametrize("override", ["gates.required_lift=0.02", "stats.seed=1", "gates=f1_buy_boost", "seed=3"])
def test_what_is_judged_by_is_hashed(override: str) -> None:
    assert _plan(override).plan_hash != _plan().plan_hash


def test_time_and_command_are_not_hashed(tmp_path: Path) -> None:
    again = make_plan(compose([*TINY, f"output.dir={tmp_path}", "executor.workers=1"]), NOW + timedelta(days=1))
    assert again.plan_hash == _plan().plan_hash


def test_any_other_change_of_the_document_changes_the_hash() -> None:
    document = plan_document(_plan())
    document["data"]["ARBUSDC"]["n_events"] += 1
    assert plan_hash(document) != _plan().plan_hash


def test_a_metric_that_cannot_be_lifted_is_refused_before_data_is_read(tmp_path: Path) -> None:
    asked = ("universe=demo", "data=parquet", f"data.path={tmp_path}")  # where there is none
    with pytest.raises(ConfigError) as refused:
        make_plan(compose([*asked, "stats.metric=f1_by"]), NOW)
    told = str(refused.value)
    assert told.startswith("command line: stats.metric == f1_by is no metric of the rows; known: f1_buy, f1_buy_fixed")
    assert told.endswith("did you mean 'f1_buy'? (ftfkit)")
    with pytest.raises(ConfigError, match=r"stats\.metric == brier is better the smaller it is"):
        make_plan(compose([*asked, "stats.metric=brier"]), NOW)
    with pytest.raises(
        ConfigError, match=r"^command line: gates\.required_lift == 1\.5 must be < 1: f1_buy is a share"
    ):
        make_plan(compose([*asked, "gates.required_lift=1.5"]), NOW)
    for possible in (["stats.metric=average_precision"], ["stats.metric=expectancy_bps", "gates.required_lift=1.5"]):
        with pytest.raises(DataError):
            make_plan(compose([*asked, *possible]), NOW)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=parquet", "data.path=/nonexistent"], r"^command line: data\.path == /nonexistent must be a folder"),
        (["data=csv", "data.path=FOLDER"], r"csv\.yaml:3: data\.pattern == \S+ must name a file of AAVEUSDC"),
        (
            ["data.holdout_from=2021-01-01"],
            r"^command line: data\.holdout_from == 2021-01-01 \S+ must leave bars before",
        ),
        (
            ["data.holdout_from=2030-01-01", "data.days=60"],
            r"^command line: data\.holdout_from == 2030\S+ must not be after 2022-03-02T\S+, where .* AAVEUSDC end",
        ),
        (
            ["data.days=60", "cv.valid_frac=.85"],
            r"^command line: cv\.valid_frac == 0\.85 must leave 4 out-of-fold groups",
        ),
        (
            ["data.days=60", "cv.valid_frac=.9999"],
            r"^command line: cv\.valid_frac == 0\.9999 must leave training events",
        ),
        (
            ["data.days=60", "cv.oof_groups=300"],
            r"^command line: cv\.oof_groups == 300 must leave \w+ events .*\(fold \d\)",
        ),
        (["data.days=60", "cv.embargo_bars=200"], r"cv\.\w+ == \S+ must leave .*fold \d"),
        (["label.bar_hours=5"], r"^command line: label\.bar_hours == 5 must divide 24"),
    ],
)
def test_a_value_that_does_not_fit_the_bars_is_refused_with_its_place(
    overrides: list[str], message: str, tmp_path: Path
) -> None:
    asked = [one.replace("FOLDER", str(tmp_path)) for one in overrides]
    with pytest.raises(ConfigError, match=message) as refused:
        make_plan(compose([*TINY[:2], *asked]), NOW)
    assert str(refused.value).endswith("ftfkit)")


def test_a_label_without_events_is_told_with_what_was_dropped() -> None:
    with pytest.raises(DataError, match=r"^AAVEUSDC: the common period holds no event of this label; dropped: \w+ \d+"):
        make_plan(compose([*TINY, "label.max_holding_bars=1000"]), NOW)


@pytest.mark.parametrize(
    "override",
    ["cv.n_folds=1001", "cv.oof_groups=1001", "cv.embargo_bars=10001", "data.days=99999", "stats.n_resamples=1e7"],
)
def test_what_would_fill_memory_or_never_end_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=r"^command line: \w+\.\w+ == \S+ must be <= \d+"):
        compose([override])


def test_a_track_without_a_readiness_document_is_told_before_it_runs() -> None:
    gates = {"checks": {"f1_lift": {}, "mlops_readiness": {}}}
    document = {"track": {"id": "7"}, "gates": gates, "readiness": {"path": None, "sha256": None}}
    note = readiness_note(document)
    assert note is not None
    assert note.startswith("the track names no readiness document: mlops_readiness will be ERROR")
    assert note.endswith(" ++track.readiness=FILE names it")  # whether the track has the key, as null, or has not
    assert readiness_note({**document, "track": None}) is None
    assert readiness_note({**document, "gates": {"checks": {"f1_lift": {}}}}) is None
    assert readiness_note({**document, "readiness": {"path": "r.md", "sha256": "0" * 64}}) is None


class Choosy(PurgedKFold):
    """A plugin's splitter with a rule of its own."""

    def folds(self, t0: IntArray, t1: IntArray, edges: IntArray) -> tuple[Split, ...]:
        raise DataSettingError(UNPLACED, "cv.n_folds", self.n_folds, "must suit the moon", "plugin acme")


def test_a_rule_that_folds_break_names_asset_and_owner() -> None:
    experiment = compose([*TINY])
    spec = experiment.baseline.spec
    spec = spec.model_copy(update={"cv": Choosy(**spec.cv.model_dump())})
    planned = experiment.model_copy(update={"baseline": experiment.baseline.model_copy(update={"spec": spec})})
    with pytest.raises(DataSettingError, match=r"must suit the moon \(asset AAVEUSDC\) \(plugin acme\)$"):
        make_plan(planned, NOW)
