from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from ftfkit.run.predictions import predictions_file, read_predictions, write_predictions
from ftfkit.types import Predictions

RNG = np.random.default_rng(0)


def _predictions() -> Predictions:
    return Predictions(
        test_index=np.arange(40, 47),
        test_proba=RNG.random(7, dtype=np.float32),
        oof_index=np.arange(30),
        oof_proba=RNG.random(30, dtype=np.float32),
        valid_index=np.arange(25, 30),
        valid_proba=RNG.random(5, dtype=np.float32),
        params={"max_depth": 4, "learning_rate": 0.1 + 0.2},
        rounds=125,
        valid_value=1 / 3,
        n_trials=8,
        n_pruned=3,
        n_train=30,
        n_purged=2,
        target_notes={"pruned_frac": 0.01},
    )


def _assert_same(one: Predictions, other: Predictions) -> None:
    for field in fields(Predictions):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right, strict=True)
        else:
            assert json.dumps(left) == json.dumps(right), field.name


def test_predictions_come_back_exactly(tmp_path: Path) -> None:
    written = _predictions()
    write_predictions(tmp_path, "abc", written)
    read = read_predictions(tmp_path, "abc")
    assert read is not None
    _assert_same(written, read)


def test_an_empty_part_comes_back(tmp_path: Path) -> None:
    none = np.empty(0, dtype=np.int64)
    written = replace(_predictions(), valid_index=none, valid_proba=none.astype(np.float32))
    write_predictions(tmp_path, "abc", written)
    read = read_predictions(tmp_path, "abc")
    assert read is not None
    _assert_same(written, read)


def test_unknown_predictions_are_none(tmp_path: Path) -> None:
    assert read_predictions(tmp_path, "abc") is None


def test_a_damaged_file_counts_as_unknown_and_can_be_replaced(tmp_path: Path) -> None:
    write_predictions(tmp_path, "abc", _predictions())
    file = predictions_file(tmp_path, "abc")
    file.write_bytes(file.read_bytes()[:200])
    assert read_predictions(tmp_path, "abc") is None
    write_predictions(tmp_path, "abc", _predictions())
    assert read_predictions(tmp_path, "abc") is not None


def test_a_changed_byte_is_never_read_as_other_predictions(tmp_path: Path) -> None:
    good = _predictions()
    file = write_predictions(tmp_path, "abc", good)
    written = file.read_bytes()
    n_damaged = 0
    for place in range(0, len(written), 29):
        file.write_bytes(written[:place] + bytes([written[place] ^ 0xFF]) + written[place + 1 :])
        found = read_predictions(tmp_path, "abc")
        n_damaged += found is None
        assert found is None or (found.test_proba == good.test_proba).all()
    assert n_damaged > 10


def test_nothing_but_whole_files_is_left_behind(tmp_path: Path) -> None:
    for _ in range(3):
        write_predictions(tmp_path, "abc", _predictions())
    assert [file.name for file in tmp_path.iterdir()] == ["abc.parquet"]
