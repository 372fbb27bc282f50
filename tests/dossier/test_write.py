import json
import re
import subprocess
import sys

import numpy as np
import pytest

from ftfkit.dossier.write import write_dossier
from ftfkit.errors import RowsError
from ftfkit.run.files import write_json
from ftfkit.run.records import PLAN, ROWS

LIFTS = {"none": 0.0, "good": 0.05, "bad": -0.05}


def written(folder):
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".md", ".html", ".png"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def headings_not_in_style(markdown):
    """Rows of headings whose first does not begin with a capital, or of whose others a word does that is no name."""
    rows = re.findall(r"^\| (.+) \|\n\|-", markdown, re.MULTILINE)
    assert len(rows) > 10
    capitals = re.compile(r"\b(?!Brier|Sharpe|Sortino|Nadeau|Bengio)[A-Z][a-z]")
    return [row for row in rows if not row[0].isupper() or capitals.search(row.partition(" | ")[2])]


def test_the_same_folder_gives_the_same_bytes(make_run, make_rows):
    folder = make_run(make_rows(LIFTS), synthetic=True)
    write_dossier(folder, sections={})
    first = written(folder)
    assert set(first) == {"dossier.md", "dossier.html", "figures/forest.png", "figures/heatmap.png"}
    write_dossier(folder, sections={})
    assert written(folder) == first


def test_bytes_do_not_depend_on_process_or_matplotlib_settings(make_run, make_rows, tmp_path_factory):
    folder = make_run(make_rows(LIFTS))
    write_dossier(folder, sections={})
    first = written(folder)
    settings = tmp_path_factory.mktemp("settings")
    (settings / "matplotlibrc").write_text("font.size: 20\nfigure.facecolor: red\n")
    script = "import sys, pathlib, ftfkit.dossier.write as d; d.write_dossier(pathlib.Path(sys.argv[1]), sections={})"
    environment = {"MPLCONFIGDIR": str(settings), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True, env=environment)
    assert written(folder) == first


def test_a_bare_baseline_has_a_dossier_without_verdict(make_run, make_rows):
    folder = make_run(make_rows({"none": 0.0}))
    markdown = write_dossier(folder, sections={}).read_text(encoding="utf-8")
    assert not (folder / "verdict.json").exists()
    assert markdown.startswith("# Track 06_focal_loss, focal loss: results dossier (baseline only, no verdict)")
    assert "| none (baseline) |" in markdown
    assert "always-BUY F1" in markdown
    assert "figures/" not in markdown
    assert not re.search("LOCK|ABANDON|INCONCLUSIVE", markdown)


@pytest.mark.parametrize("shape", [{"n_assets": 1}, {"n_folds": 1}, {"n_assets": 1, "n_folds": 1}])
def test_one_asset_or_one_fold_leaves_undefined_figures_undefined(make_run, make_rows, shape):
    markdown = write_dossier(make_run(make_rows(LIFTS, **shape)), sections={}).read_text(encoding="utf-8")
    assert "n/a" in markdown
    assert not re.search(r"\b(nan|NaN|inf|None)\b", markdown)


def test_error_rows_are_shown_with_the_line_that_names_the_cause(make_run, make_rows):
    rows = make_rows(LIFTS)
    frames = 'Traceback (most recent call last):\n  File "x.py", line 3, in f\n    import sympy\n'
    failed = (rows["variant"] == "good") & (rows["asset"] == "A001USDC") & (rows["fold"] == 2)
    rows.loc[failed, "status"] = "error"
    rows.loc[failed, "error"] = f"{frames}ModuleNotFoundError: No module named 'sympy'\n"
    rows.loc[failed, [name for name in rows if rows[name].dtype.kind == "f"]] = np.nan
    markdown = write_dossier(make_run(rows), sections={}).read_text(encoding="utf-8")
    assert "| good | A001USDC | 2 | ModuleNotFoundError: No module named 'sympy' |" in markdown
    assert headings_not_in_style(markdown) == []
    assert "INCOMPLETE × 1" in markdown.splitlines()[0]
    assert "75 rows, 1 errors, status incomplete" in markdown
    assert "74 of 75 (1 error)" in markdown


def test_missing_and_skipped_rows_are_counted(make_run, make_rows):
    rows = make_rows(LIFTS)
    folder = make_run(rows)
    plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    rows.loc[rows.index[-1], "status"] = "skipped"
    rows.drop(index=rows.index[-2]).to_parquet(folder / ROWS)
    write_json(folder, PLAN, plan)
    markdown = write_dossier(folder, sections={}).read_text(encoding="utf-8")
    assert "73 of 75 (1 skipped, 1 missing)" in markdown
    assert "Planned cells without a row: bad, A004USDC, fold 3." in markdown
    assert "1 cells were skipped" in markdown


def test_synthetic_and_post_hoc_are_marked_in_every_part(make_run, make_rows):
    folder = make_run(make_rows({"none": 0.0, "good": 0.05}), synthetic=True, post_hoc=True)
    markdown = write_dossier(folder, sections={}).read_text(encoding="utf-8")
    assert "(LOCK, SYNTHETIC DATA, POST HOC)" in markdown.splitlines()[0]
    parts = re.split(r"^## ", markdown, flags=re.MULTILINE)[1:]
    assert all("**Synthetic data.** **Post hoc.**" in part for part in parts if not part.startswith("7."))
    assert "lock refuses this run: synthetic data; post hoc verdict" in markdown
    assert '<p class="marks" role="note">SYNTHETIC DATA, POST HOC</p>' in (folder / "dossier.html").read_text()


def test_a_run_that_is_neither_synthetic_nor_post_hoc_is_not_marked(make_run, make_rows):
    folder = make_run(make_rows({"none": 0.0, "good": 0.05}))
    text = write_dossier(folder, sections={}).read_text(encoding="utf-8") + (folder / "dossier.html").read_text()
    assert "synthetic" not in text.lower()
    assert 'class="marks"' not in text


@pytest.mark.parametrize("name", [PLAN, ROWS])
def test_a_folder_without_plan_or_rows_is_refused(make_run, make_rows, name):
    folder = make_run(make_rows(LIFTS))
    (folder / name).unlink()
    with pytest.raises(RowsError, match=rf"{name}: is missing"):
        write_dossier(folder)


def test_reading_the_package_does_not_import_matplotlib():
    script = "import sys, ftfkit.dossier.write; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "content"), [("plan.json", b'{"schema": 1'), ("plan.json", b"{}"), ("rows.parquet", b"PAR1")]
)
def test_a_file_that_was_cut_off_or_holds_something_else_is_refused_in_one_line(make_run, make_rows, name, content):
    folder = make_run(make_rows({"none": 0.0, "a": 0.05}))
    (folder / name).write_bytes(content)
    with pytest.raises(RowsError, match="cannot be read") as refused:
        write_dossier(folder)
    assert "\n" not in str(refused.value)
