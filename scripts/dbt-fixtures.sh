#!/usr/bin/env bash
# Writes test/fixtures/dbt/<major version of dbt>/<state>/{run_results,manifest}.json: what a real dbt leaves behind in its
# target folder after building a copy of examples/shop.
#
#   scripts/dbt-fixtures.sh [1] [2]      (default: both)
#
# VENVS is a folder that keeps the virtual environments for the next time. dbt 2 needs its DuckDB driver: see dbt-venv.sh.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
temp=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$temp"' EXIT
venvs=${VENVS:-$temp/venvs}
project=$temp/shop

# One block a state: `start` with a clean project, run dbt with the exit code it must have, `keep` what it left.
states() {
  start all-good
  dbt 0 build
  keep target

  start test-fail
  dbt 1 build --vars '{break_customers_test: true}'
  keep target

  start model-error
  dbt 1 build --vars '{break_orders_model: true}'
  keep target
}

start() {
  state=$1
  rm -rf "$project"
  cp -R "$root/examples/shop" "$project"
  rm -rf "$project"/{target,logs,dbt_packages,.user.yml} "$project"/*.duckdb*
  mkdir "$project/target"
}

dbt() {
  local expected=$1 code=0
  shift
  (cd "$project" && "$venv/bin/dbt" "$@") > "$temp/log" 2>&1 || code=$?
  if [[ $code != "$expected" ]]; then
    cat "$temp/log" >&2
    echo "$state: dbt $* ended with $code, not $expected" >&2
    exit 1
  fi
}

# keep target, or keep target/FOLDER where a state gives dbt a --target-path: that goes into a folder of the same name.
keep() {
  "$venv/bin/python" "$root/scripts/dbt-fixtures.py" "$project" "$project/$1" "$temp/$major/$state${1#target}"
}

[[ $# -gt 0 ]] || set -- 1 2
for major in "$@"; do
  case $major in
    1 | 2) "$root/scripts/dbt-venv.sh" "$venvs/dbt$major" "dbt$major" ;;
    *) echo 'usage: scripts/dbt-fixtures.sh [1] [2]' >&2 && exit 2 ;;
  esac
done

# The caller's settings for dbt must not show up in the fixtures.
for name in $(compgen -e DBT_) SHOP_DUCKDB_PATH; do unset "$name"; done
export DBT_SEND_ANONYMOUS_USAGE_STATS=false

for major in "$@"; do
  venv=$venvs/dbt$major
  states
  rm -rf "$root/test/fixtures/dbt/$major"
  cp -R "$temp/$major" "$root/test/fixtures/dbt/$major"
done
