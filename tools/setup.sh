#!/usr/bin/env bash
# Creates .venv and installs the core, every plugin and the developer tools at the versions of constraints.txt.
# uv is used where it is there or installable (seconds instead of a minute), plain venv and pip otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "setup: $("$python" --version) found, Python >= 3.11 is needed (PYTHON=python3.11 make setup)" >&2
  exit 1
}
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv >/dev/null 2>&1 || true

projects=(--editable .)
for plugin in plugins/*/pyproject.toml; do
  [ -e "$plugin" ] && projects+=(--editable "$(dirname "$plugin")")
done
# pip before 25.1 cannot read dependency groups, so the tools' names come from pyproject.toml directly.
mapfile -t tools < <(.venv/bin/python - <<'PY'
import tomllib
with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["dependency-groups"]["dev"]))
PY
)

if [ -x .venv/bin/uv ]; then
  overrides=$(mktemp)
  trap 'rm -f "$overrides"' EXIT
  # 335 MB that only multi-GPU training loads.
  echo "nvidia-nccl-cu12; sys_platform == 'never'" >"$overrides"
  .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --overrides "$overrides" \
    --constraints constraints.txt "${projects[@]}" "${tools[@]}"
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
    "${projects[@]}" "${tools[@]}"
fi
# Where PYTHONDONTWRITEBYTECODE is set, every worker and every command of the tests would compile all of this anew.
.venv/bin/python -m compileall -q ftfkit hydra_plugins plugins
