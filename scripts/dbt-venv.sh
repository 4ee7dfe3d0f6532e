#!/usr/bin/env bash
# Makes a Python virtual environment with dbt and DuckDB in DIR, or leaves it as it is when it is up to date.
#
#   scripts/dbt-venv.sh DIR [dbt1|dbt2]      then: DIR/bin/dbt build
#
# PYTHON is the interpreter to use (default: python3, 3.9 or newer), DBT2_VERSION another version of dbt 2.
set -euo pipefail

usage='usage: scripts/dbt-venv.sh DIR [dbt1|dbt2]'
dir=${1:?$usage}
kind=${2:-dbt1}
python=${PYTHON:-python3}

# dbt 2 up to this preview is on PyPI as a wheel. Later ones are source packages whose build downloads the program from
# dbt's own server, which not every network allows; DBT2_VERSION=2.0.9 asks for one of those. Its DuckDB driver comes with
# the first build, from the same server, unless LD_LIBRARY_PATH leads to a libduckdb.so (the npm package
# @duckdb/node-bindings-linux-x64 has one).
dbt2=("dbt==${DBT2_VERSION:-2.0.0rc196}")

case $kind in
  dbt1)
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
      dbt1=(dbt-core==1.12.6 dbt-duckdb==1.11.1)
      below=(dbt-adapters==1.24.5 dbt-common==1.39.0 duckdb==1.5.6)
    else # the last ones for Python 3.9
      dbt1=(dbt-core==1.10.23 dbt-duckdb==1.10.0)
      below=(duckdb==1.4.4)
    fi
    pins=("${dbt1[@]}" "${below[@]}")
    ;;
  dbt2) pins=("${dbt2[@]}") ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac

pip() {
  "$dir/bin/python" -m pip --disable-pip-version-check --quiet "$@"
}

# What dbt-core and dbt-duckdb need, without the parser of dbt 2 that dbt-core 1.12 lists as well: that one is downloaded
# from outside PyPI, and only --use-v2-parser calls it.
needs() {
  "$dir/bin/python" - <<'PY'
import re
from importlib.metadata import requires

for requirement in requires('dbt-core') + requires('dbt-duckdb'):
    if 'extra ==' not in requirement and not re.match(r'dbt-core\b', requirement):
        print(requirement)
PY
}

stamp=$dir/.dbt-pins
if [[ ! -e $stamp || $(< "$stamp") != "${pins[*]}" ]]; then
  if [[ -e $stamp ]]; then
    "$python" -m venv --clear "$dir"
  else
    "$python" -m venv "$dir"
  fi
  if [[ $kind == dbt1 ]]; then
    pip install --no-deps "${dbt1[@]}"
    needs > "$dir/needs.txt"
    # pip reports the missing parser as a conflict, and goes on.
    pip install "${below[@]}" --requirement "$dir/needs.txt" 2> "$dir/pip.log" || { cat "$dir/pip.log" >&2 && exit 1; }
  else
    pip install "${pins[@]}"
  fi
  echo "${pins[*]}" > "$stamp"
fi

if [[ $kind == dbt1 ]]; then
  "$dir/bin/python" -m pip --disable-pip-version-check freeze 2> /dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb)=='
else
  "$dir/bin/dbt" --version
fi
