from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ftfkit
from ftfkit.errors import ConfigError
from ftfkit.types import Verdict

ORDERS = {
    "function first": "import ftfkit; ftfkit.judge, ftfkit.run; import ftfkit.judge.rows, ftfkit.run.metrics",
    "package first": "import ftfkit.judge.rows, ftfkit.run.metrics, ftfkit",
}


@pytest.mark.parametrize("imports", ORDERS.values(), ids=ORDERS.keys())
def test_run_and_judge_are_functions_whatever_was_imported_before(imports: str) -> None:
    code = f"{imports}\nassert callable(ftfkit.run) and callable(ftfkit.judge) and callable(ftfkit.compose)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_judge_gives_typed_results_from_a_frame(shared: Path) -> None:
    import ftfkit.judge.rows

    rows = pd.read_csv(shared / "reference" / "track06_rows_reconstructed.csv")
    verdict = ftfkit.judge(rows, gates="f1_buy_boost")
    assert isinstance(verdict, Verdict)
    assert {item.verdict for item in verdict.variants.values()} == {"ABANDON"}
    stricter = ftfkit.judge(rows, gates="f1_buy_boost", overrides=["gates.required_lift=0.5"])
    assert stricter.variants["standard"].gates["f1_lift"].threshold == 0.5


def test_run_gives_rows_verdict_and_dossier(tmp_path: Path) -> None:
    result = ftfkit.run(
        "balancing=none",
        "universe=demo",
        "data.days=120",
        "cv.n_folds=2",
        "hpo=fixed",
        "executor=serial",
        f"output.dir={tmp_path}",
    )
    assert len(result.rows) == 8
    assert result.verdict is not None
    assert result.verdict.synthetic
    assert list(result.verdict.variants) == ["none"]
    assert result.dossier is not None
    assert result.dossier.is_file()
    assert result.exit_code == 0


def test_a_readiness_document_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"readiness == nowhere\.md must be a file"):
        ftfkit.judge("rows.csv", readiness="nowhere.md")
    (tmp_path / "binary.docx").write_bytes(b"PK\xff\xfe")
    with pytest.raises(ConfigError, match=r"readiness == .*binary\.docx must be text in UTF-8"):
        ftfkit.judge("rows.csv", readiness=tmp_path / "binary.docx")
