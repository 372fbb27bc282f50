from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftfkit.config.compose import composer, search_path_of, searched_folders
from ftfkit.config.experiment import compose
from ftfkit.config.overrides import quoted, without_password
from ftfkit.errors import ConfigError

FOCAL = ["mild_focus", "standard", "aggressive_focus", "class_balanced"]


def test_bare_run_has_a_baseline_and_no_variant() -> None:
    experiment = compose([])
    assert experiment.variants == ()
    assert experiment.baseline.spec.raw["loss"]["name"] == "logistic"
    assert [asset.name for asset in experiment.universe.assets][:2] == ["AAVEUSDC", "ARBUSDC"]


def test_one_option_makes_one_variant_named_by_its_last_component() -> None:
    experiment = compose(["loss=focal/standard", "hpo=quick"])
    (variant,) = experiment.variants
    assert (variant.name, experiment.baseline.name) == ("standard", "none")
    assert variant.factor_options == {"loss": "focal/standard"}
    assert variant.spec.hpo == experiment.baseline.spec.hpo
    assert experiment.baseline.spec.hpo.n_trials == 10


def test_glob_finds_nested_options() -> None:
    assert sorted(v.name for v in compose(["loss=glob(focal/*)"]).variants) == sorted(FOCAL)


def test_baseline_among_the_swept_options_is_not_a_variant() -> None:
    experiment = compose(["loss=none,focal/standard"])
    assert [variant.name for variant in experiment.variants] == ["standard"]


def test_two_swept_groups_form_joint_variants() -> None:
    experiment = compose(["loss=none,focal/standard", "balancing=balanced,none"])
    assert experiment.baseline.name == "balanced+none"
    assert sorted(v.name for v in experiment.variants) == ["balanced+standard", "none+none", "none+standard"]


def test_single_decision_is_context_and_a_swept_one_is_the_factor() -> None:
    context = compose(["loss=focal/standard", "decision=fixed"])
    assert context.baseline.spec.raw["decision"]["name"] == "fixed"
    assert [variant.name for variant in context.variants] == ["standard"]
    swept = compose(["decision=tuned,fixed"])
    assert [variant.name for variant in swept.variants] == ["fixed"]
    assert swept.baseline.spec.raw["decision"]["name"] == "tuned"


def test_single_label_is_context() -> None:
    experiment = compose(["loss=focal/standard", "label.stop_atr=1.0"])
    assert experiment.baseline.spec.raw["label"]["stop_atr"] == 1.0
    assert len(experiment.variants) == 1


def test_a_dot_in_an_option_is_not_a_changed_value() -> None:
    swept = compose(["label=ATR0.5_1.5_H4,ATR1.0_1.0_H4"])
    assert [variant.name for variant in swept.all_variants] == ["ATR0.5_1.5_H4", "ATR1.0_1.0_H4"]


def test_a_changed_value_of_a_factor_group_is_a_variant_with_the_value_in_its_name() -> None:
    experiment = compose(["loss=focal/standard", "loss.gamma=1,3"])
    assert sorted(v.name for v in experiment.variants) == ["standard[gamma=1]", "standard[gamma=3]"]


def test_two_ways_to_write_one_setting_are_one_variant() -> None:
    experiment = compose(["loss=focal/standard", "loss.gamma=2,2.0,3"])
    assert [variant.name for variant in experiment.variants] == ["standard[gamma=2]", "standard[gamma=3]"]


def test_two_settings_of_one_name_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "balancing/a", "class_weight: null\nuniqueness: true\n")
    put(tmp_path, "balancing/a+b", "class_weight: null\nuniqueness: false\n")
    put(tmp_path, "loss/b+c", "name: focal\ngamma: 1\nalpha: 0.25\n")
    put(tmp_path, "loss/c", "name: focal\ngamma: 3\nalpha: 0.25\n")
    with pytest.raises(ConfigError, match=r"variant == a\+b\+c must be one setting, not two"):
        compose(["balancing=a,a+b", "loss=b+c,c"], composer([tmp_path]))


def test_equal_values_are_no_variant() -> None:
    assert compose(["model.max_rounds=300"]).variants == ()


def test_swept_context_is_refused() -> None:
    with pytest.raises(ConfigError, match="is context and cannot be swept"):
        compose(["universe=demo,defi_top5", "loss=focal/standard"])


def test_the_splitter_takes_the_bar_length_of_the_label_scheme() -> None:
    assert compose(["label.bar_hours=8"]).baseline.spec.cv.bar_hours == 8


def test_track_declares_the_whole_experiment() -> None:
    experiment = compose(["track=06_focal_loss"])
    assert [variant.name for variant in experiment.variants] == FOCAL
    assert experiment.baseline.name == "none"
    assert experiment.gates.name == "f1_buy_boost"
    assert experiment.baseline.spec.raw["decision"]["name"] == "fixed"
    assert experiment.baseline.spec.hpo.n_trials == 50


def test_the_command_line_replaces_what_the_track_declares() -> None:
    experiment = compose(["track=06_focal_loss", "loss=focal/standard", "decision=tuned", "hpo=quick"])
    assert [variant.name for variant in experiment.variants] == ["standard"]
    assert experiment.baseline.spec.raw["decision"]["name"] == "tuned"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return tmp_path / "myconf"


def put(folder: Path, option: str, text: str) -> None:
    file = folder / f"{option}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("label/x", "name: atr_barrier\nstop_atr: 1\ntarget_atr: 1\nbar_hours: 4\nstop_at: 2\n",
         r"x\.yaml:5: label\.stop_at == 2 is not a parameter here; .*did you mean 'stop_atr'\?"),
        ("data/x", "name: synthetic\nholdout_form: 2025-01-01\n",
         r"x\.yaml:2: data\.holdout_form == 2025-01-01 is not a parameter here; .*did you mean 'holdout_from'\?"),
        ("label/x", "name: atr_barrier\nstop_atr: wide\ntarget_atr: 1\nbar_hours: 4\n",
         r"x\.yaml:2: label\.stop_atr == wide must be a valid number: a multiple of the ATR \(plugin ftfkit\)"),
        ("label/x", "name: atr_barrier\nstop_atr: -1\ntarget_atr: 1\nbar_hours: 4\n",
         r"x\.yaml:2: label\.stop_atr == -1 must be > 0 \(plugin ftfkit\)"),
        ("label/x", "name: atr_barier\nstop_atr: 1\n",
         r"x\.yaml:1: label\.name == atr_barier .*known: .*did you mean 'atr_barrier'\?"),
        ("label/x", "name: atr_barrier\n stop_atr: [1\n", r"x\.yaml:\d+: bad YAML"),
        ("label/x", "name: atr_barrier\nbar_hours: 4\nbar_hours: 8\n", r"x\.yaml:3: bad YAML: found duplicate key"),
        ("label/x", "name: atr_barrier\n_target_: os.system\n", r"x\.yaml:2: _target_ == \.\.\. is not allowed"),
        ("cv/x", "name: purged_kfold\nn_folds: 5\nembargo_bars: 4h\n",
         r"x\.yaml:3: cv\.embargo_bars == 4h must be a valid integer: a number of bars"),
        ("loss/x", "name: missing_plugin_loss\n", r"x\.yaml:1: loss\.name == missing_plugin_loss cannot be used"),
    ],
    ids=["unknown-key", "hold-out", "wrong-type", "range", "unknown-name", "bad-yaml", "twice", "target", "unit",
         "missing-plugin"],
)  # fmt: skip
def test_a_broken_file_gives_one_line_with_place_value_rule_and_owner(
    broken: Path, option: str, text: str, message: str
) -> None:
    put(broken, option, text)
    group, name = option.split("/")
    with pytest.raises(ConfigError, match=message) as refused:
        compose([f"{group}={name}"], composer([broken]))
    assert "\n" not in str(refused.value)


def test_unknown_option_and_unknown_key_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"loss == focal/standart .*did you mean 'focal/standard'\?"):
        compose(["loss=focal/standart"])
    with pytest.raises(ConfigError, match=r"universe\.quot=USDT: no such key; .*did you mean 'quote'\?"):
        compose(["universe.quot=USDT"])
    with pytest.raises(ConfigError, match=r"los == none|los=none.*did you mean 'loss'\?"):
        compose(["los=none"])


def test_a_group_that_the_schema_does_not_have_is_one_error_not_an_endless_search(tmp_path: Path) -> None:
    put(tmp_path, "losss/acme", "name: logistic")
    put(tmp_path, "modle/acme", "name: logistic")
    with pytest.raises(ConfigError, match=r"losss=acme: no such key; known: .*; did you mean 'loss'\?"):
        compose(["losss=acme", "modle=acme", "trade.fee_bp=1"], composer([tmp_path]))


def test_a_glob_without_match_is_an_error_not_an_empty_sweep() -> None:
    with pytest.raises(ConfigError, match="matches no option"):
        compose(["loss=glob(nothing/*)"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("label.atr_bars=true", r"command line: label\.atr_bars == True must be a number \(plugin ftfkit\)"),
        ("label.stop_atr='0.7'", r"label\.stop_atr == '0\.7' must be a number"),
        ("hpo.n_trials='5'", r"hpo\.n_trials == '5' must be a number \(ftfkit\)"),
        ("hpo.pruning=1", r"hpo\.pruning == 1 must be true or false"),
        ("seed=true", r"seed == True must be an integer"),
        ("model.params.gamma='0.1'", r"model\.params\.gamma == '0\.1' must be a number"),
        ("model.space.gamma.low='0.1'", r"model\.space\.gamma\.low == '0\.1' must be a number"),
        ("gates.checks.no_skill.alpha='0.05'", r"gates\.checks\.no_skill\.alpha == '0\.05' must be a number"),
    ],
)
def test_text_or_a_truth_value_is_no_number(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose([override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+foo.bar=1", r"^command line: foo == \{'bar': 1\} is not a section"),
        ("++foo.bar.baz=1", r"^command line: foo == \{'bar': \{'baz': 1\}\} is not a section"),
        ("+loss@foo=none", r"^command line: foo == .* is not a section"),
        ("~loss.name", r"^command line: loss\.name == None must name a registered plugin"),
        ("~label", r"^command line: label\.name == None must name a registered plugin"),
        ("~universe.quote", r"^command line: universe\.quote == \(not given\) is required"),
        ("~baseline.loss", r"^command line: baseline == .* must name one option for each of"),
        ("+baseline.los=none", r"^command line: baseline == .* must name one option for each of"),
    ],
)
def test_what_the_command_line_adds_or_removes_is_blamed_on_it(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose([override])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["label=4"], r"^command line: label == 4 is no option of this group; known: ATR"),
        (["loss=none,true"], r"^command line: loss == True is no option of this group; known: focal"),
        (["baseline.loss=3"], r"loss == 3 is no option of this group; known: focal"),
        (["metrics=turnover"], r"^command line: metrics == turnover must be a mapping of keys to values"),
        (["track.variants=3"], r"^command line: track\.variants == 3 must be a mapping of keys to values"),
        (["track.variants.loss=focal/standard"], r"track\.variants\.loss == focal/standard must be a list"),
        (["track.variants.loss=null"], r"^command line: track\.variants\.loss == None must be a list"),
        (["track.variants.loss=[]"], r"^command line: track\.variants\.loss == \[\] must have 1 or more entries"),
        (["model.space.max_depth.low=2.5"], r"model\.space\.max_depth == .* low and high must be whole numbers"),
        (["model.space.learning_rate.high=inf"], r"model\.space\.learning_rate\.high == inf must be a finite number"),
        (["model.params.gamma=nan"], r"^command line: model\.params\.gamma == nan must be a finite number"),
        (["trade.fee_bps=5000"], r"^command line: trade\.fee_bps == 5000 must be < 5000"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_one_line(overrides: list[str], message: str) -> None:
    track = ["track=06_focal_loss"] if overrides[0].startswith("track.") else []
    with pytest.raises(ConfigError, match=message):
        compose([*track, *overrides])


@pytest.mark.parametrize(
    "folder", ["/runs/a,b", "/runs/my runs (2)", "/runs/x=1's", "/runs/back\\", "/${x}", r"/\${seed}"]
)
def test_a_quoted_text_is_taken_as_it_stands(folder: str) -> None:
    assert compose([quoted("output.dir", folder)]).output.dir == folder


@pytest.mark.parametrize("override", ["output.dir=/runs/${x}", "output.dir='/runs/${x}'"])
def test_an_interpolation_of_nothing_tells_how_to_write_the_text(override: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compose([override])
    told = r"Interpolation key 'x' not found; in quotes, \${ is text and names no key (ftfkit)"
    assert str(refused.value) == rf"command line: output.dir == /runs/${{x}} is not a value: {told}"


@pytest.mark.parametrize("name", ["a,b", "it's [mine] (2)", "${x}", "back\\"])
def test_a_folder_of_the_users_own_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    (folder / "hpo").mkdir(parents=True)
    (folder / "hpo" / "mine.yaml").write_text("n_trials: 3\n")
    assert compose(["hpo=mine"], composer([folder])).baseline.spec.hpo.n_trials == 3
    assert searched_folders([search_path_of([folder, tmp_path])]) == (folder, tmp_path)


def test_a_plan_without_a_name_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"^command line: plan ==  must be a plan as `python -m ftfkit plan` writes it"
    ):
        compose(["plan="])
    assert compose(["plan=null"]).plan is None


def test_a_whole_number_is_a_number_and_a_date_needs_no_time() -> None:
    spec = compose(["label.stop_atr=1", "data.holdout_from=2025-01-01"]).baseline.spec
    assert spec.raw["label"]["stop_atr"] == 1.0
    assert spec.data.holdout_from is not None


@pytest.mark.parametrize("value", ["2025", "'2025'", "20250101", "1735689600.0", "true"])
def test_a_number_is_no_date(value: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.holdout_from == \S+ must be an ISO date"):
        compose([f"data.holdout_from={value}"])


def test_a_missing_mandatory_value_says_how_to_give_it() -> None:
    with pytest.raises(ConfigError, match=r"data\.path == \?\?\? must be given \(data\.path=VALUE\)"):
        compose(["data=parquet"])


def test_a_model_refuses_a_loss_before_any_data_is_read() -> None:
    pytest.importorskip("ftfkit_track11_architecture")
    rule = (
        r"standard\.yaml:1: loss == focal/standard must be the logistic loss: .*\(plugin ftfkit-track11-architecture\)"
    )
    with pytest.raises(ConfigError, match=rule):
        compose(["loss=focal/standard", "model=logistic_regression"])
    with pytest.raises(ConfigError, match="must be the logistic loss"):
        compose(["loss=focal/standard", "model=stacked"])


def test_a_password_is_masked_in_what_is_written_and_kept_in_what_is_opened(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:s3cret@host/name"
    experiment = compose([f"store.url={url}"])
    assert experiment.store.url == url
    assert experiment.overrides == ("store.url=postgresql+psycopg://me:***@host/name",)
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"overrides": list(experiment.overrides)}))
    assert compose([f"plan={plan}"]).store.url == "postgresql+psycopg://me:***@host/name"
    assert without_password("store.url=mysql://host/name?user=me&password=s3cret&x=1").endswith("password=***&x=1")
