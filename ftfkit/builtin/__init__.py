"""The plugins we ship, registered by entry point like anybody's."""

from __future__ import annotations

from collections.abc import Mapping

from ftfkit.hookspecs import hookimpl

ftfkit_api_version = 1


@hookimpl
def ftfkit_data_sources() -> Mapping[str, str]:
    return {
        "synthetic": "ftfkit.builtin.data.synthetic:SyntheticSource",
        "parquet": "ftfkit.builtin.data.parquet:ParquetSource",
        "csv": "ftfkit.builtin.data.csv:CsvSource",
        "binance_vision": "ftfkit.builtin.data.binance_vision:BinanceVisionSource",
    }


@hookimpl
def ftfkit_feature_sets() -> Mapping[str, str]:
    return {"technical": "ftfkit.builtin.features.technical:TechnicalFeatures"}


@hookimpl
def ftfkit_label_schemes() -> Mapping[str, str]:
    return {"atr_barrier": "ftfkit.builtin.labels.atr_barrier:AtrBarrier"}


@hookimpl
def ftfkit_target_transforms() -> Mapping[str, str]:
    return {"hard": "ftfkit.builtin.targets.hard:HardTarget"}


@hookimpl
def ftfkit_splitters() -> Mapping[str, str]:
    return {
        "purged_kfold": "ftfkit.builtin.cv.purged_kfold:PurgedKFold",
        "walk_forward": "ftfkit.builtin.cv.walk_forward:WalkForward",
    }


@hookimpl
def ftfkit_losses() -> Mapping[str, str]:
    return {"logistic": "ftfkit.builtin.losses.logistic:LogisticLoss"}


@hookimpl
def ftfkit_models() -> Mapping[str, str]:
    return {"xgboost": "ftfkit.builtin.models.xgboost:XGBoostModel"}


@hookimpl
def ftfkit_decision_rules() -> Mapping[str, str]:
    return {
        "fixed": "ftfkit.builtin.decisions.fixed:FixedThreshold",
        "tuned": "ftfkit.builtin.decisions.tuned:TunedThreshold",
        "matched_rate": "ftfkit.builtin.decisions.matched_rate:MatchedRate",
    }


@hookimpl
def ftfkit_gate_checks() -> Mapping[str, str]:
    names = {
        "f1_lift": "F1Lift",
        "joint_metric": "JointMetric",
        "stability": "Stability",
        "per_asset": "PerAsset",
        "sample_size": "SampleSize",
        "mlops_readiness": "MlopsReadiness",
        "dependence": "Dependence",
        "operating_point": "OperatingPoint",
        "no_skill": "NoSkill",
    }
    return {name: f"ftfkit.builtin.gates.{name}:{cls}" for name, cls in names.items()}
