#!/usr/bin/env bash
# venv.sh FOLDER LOCK: makes the virtual environment and installs the locked packages, checked by hash.
set -euo pipefail
venv=$1 lock=$2
cd "$(dirname "$0")/.."

python=
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [[ -z $python ]]; then
  echo "Pilothouse needs Python 3.11, 3.12 or 3.13, and none was found. Install one, or name it: PYTHON=/path/to/python make …" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  packaging/setup.sh venv
fi
if [[ ! -x $venv/bin/python ]]; then
  echo "Making a virtual environment in $venv, so that nothing of your Python is touched."
  "$python" -m venv "$venv"
fi
echo "Installing the packages of $lock into $venv (versions and hashes are locked)."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
