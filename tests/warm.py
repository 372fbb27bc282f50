"""A process that has imported the libraries, and nothing of ftfkit; it forks one ``python -m ftfkit`` a request.

Each command line is a process of its own, with its own folder, environment, path and exit status; what it is spared is
to import pandas, SciPy and XGBoost once more, most of the time of a command that only refuses something.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

LIBRARIES = (
    "hydra", "hydra.compose", "hydra.utils", "hydra.core.plugins", "numpy", "omegaconf", "optuna", "pandas", "pluggy",
    "pydantic", "scipy.stats", "sklearn.linear_model", "sqlalchemy", "talib", "xgboost",
)  # fmt: skip


def serve() -> None:
    """Answer each request, a line of JSON, with the exit code of its process and the file that has its stdout."""
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not any(name.partition(".")[0] in {"ftfkit", "hydra_plugins"} for name in sys.modules)
    gc.freeze()  # so that no child looks through, and thereby copies, what it shares with this process
    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.close(answers)
            become(request)
            return
        _, status = os.waitpid(pid, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)} {request['stdout']}\n".encode())


def become(request: dict[str, Any]) -> None:
    """Run the command line where and with what it was asked; the interpreter then ends as after ``-m``."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((nothing, _new(request["stdout"]), _new(request["stderr"]))):
        os.dup2(source, target)
        os.close(source)
    sys.path[:] = [request["cwd"], *os.environ["PYTHONPATH"].split(os.pathsep), *sys.path[1:]]
    importlib.invalidate_caches()
    sys.argv = ["ftfkit", *request["arguments"]]
    runpy.run_module("ftfkit", run_name="__main__", alter_sys=True)


def _new(file: str) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


if __name__ == "__main__":
    assert Path(sys.path[0]) == Path(__file__).parent
    serve()
