from __future__ import annotations

import pytest

from ftfkit.config.experiment import compose
from ftfkit.config.origin import placed
from ftfkit.errors import UNPLACED, ConfigError, DataError, DataSettingError


def test_what_is_refused_without_a_place_gets_it_and_stays_what_it_is() -> None:
    experiment = compose(["executor.address=nowhere:1"])
    with (
        pytest.raises(ConfigError, match=r"^command line: executor\.address == nowhere:1 cannot be reached"),
        placed(experiment),
    ):
        raise ConfigError(UNPLACED, "executor.address", "nowhere:1", "cannot be reached")
    with (
        pytest.raises(DataError, match=r"conf/data/synthetic\.yaml:3: data\.days == 540 must be more"),
        placed(experiment),
    ):
        raise DataSettingError(UNPLACED, "data.days", 540, "must be more")
    with pytest.raises(ConfigError, match=r"^elsewhere: x == 1 is known to be wrong"), placed(experiment):
        raise ConfigError("elsewhere", "x", 1, "is known to be wrong")
