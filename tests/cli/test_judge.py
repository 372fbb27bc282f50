from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftfkit.__main__ import main

ROWS = "\n".join(
    [
        "variant,asset,fold,status,f1_buy,expectancy_bps,sortino,max_drawdown_pct,n_trades",
        *(
            f"{name},A,{fold},ok,{0.4 + lift},1,1,2,60"
            for name, lift in (("none", 0), ("better", 0.02))
            for fold in (0, 1)
        ),
    ]
)


@pytest.mark.parametrize("flags_first", [True, False])
def test_overrides_may_stand_behind_flags(
    flags_first: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    words, flags = [str(file), "gates.required_lift=0.5"], ["--gates", "f1_buy_boost", "--json"]
    assert main(["judge", *([*flags, *words] if flags_first else [words[0], *flags, words[1]])]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["variants"]["better"]["gates"]["f1_lift"]["threshold"] == 0.5
