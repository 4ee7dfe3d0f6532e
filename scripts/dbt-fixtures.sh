#!/usr/bin/env bash
# Writes test/fixtures/dbt/<major version of dbt>/<state>/: the artifacts that a real dbt leaves behind in its target folder
# after building a copy of examples/shop, reduced by dbt-fixtures.py. test/fixtures/dbt/README.md lists the states.
#
#   scripts/dbt-fixtures.sh [1] [2]      (default: both)
#
# VENVS is a folder that keeps the virtual environments for the next time. dbt 1 needs Python 3.10 or newer, dbt 2 its DuckDB
# driver: see dbt-venv.sh for both. It takes some minutes.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
temp=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$temp"' EXIT
venvs=${VENVS:-$temp/venvs}

# One block a state: `start` with a clean project, run dbt with the exit code it must have, `keep` what it left.
states() {
  start all-good
  dbt 0 build
  keep target

  start with-run-id
  DBT_ENV_CUSTOM_ENV_GITHUB_RUN_ID=4711 DBT_ENV_CUSTOM_ENV_GITHUB_RUN_ATTEMPT=1 dbt 0 build
  keep target

  start ci-target
  dbt 0 build --target ci
  keep target

  start test-warn
  dbt 0 build --vars '{break_customers_test: warn}'
  keep target

  start test-fail
  dbt 1 build --vars '{break_customers_test: true}'
  keep target

  start model-error
  dbt 1 build --vars '{break_orders_model: true}'
  keep target

  start fail-fast
  dbt 1 build --fail-fast --vars '{break_customers_test: true}'
  keep target

  start partial
  dbt 0 build
  dbt 0 build --select customers_for_reengagement
  keep target

  start nothing-selected
  dbt 0 build --select tag:no_such_tag
  keep target

  # dbt 2 empties the rows that a unit test gives as well, and so fails it.
  start empty
  dbt 0 build --empty --exclude resource_type:unit_test
  keep target

  # What dbt 1 calls `docs generate` is `compile --write-catalog` in dbt 2.
  start docs-after-build
  dbt 0 build
  if [[ $major == 1 ]]; then dbt 0 docs generate; else dbt 0 compile --write-catalog; fi
  keep target

  start run-and-test
  dbt 0 seed
  dbt 0 run --target-path target/run
  dbt 0 test --target-path target/test
  keep target/run
  keep target/test

  start run-and-test-fail
  dbt 0 seed
  dbt 0 run --target-path target/run --vars '{break_customers_test: true}'
  dbt 1 test --target-path target/test --vars '{break_customers_test: true}'
  keep target/run
  keep target/test

  # A retry has the --vars of the build that failed, so the model itself is broken and repaired.
  start retry
  edit models/marts/orders.sql 's/o\.amount/o.amonut/'
  dbt 1 build
  keep target first
  edit models/marts/orders.sql 's/o\.amonut/o.amount/'
  dbt 0 retry
  keep target retry

  start ephemeral
  edit dbt_project.yml 's/materialized: view/materialized: ephemeral/'
  dbt 0 build
  keep target

  start ephemeral-error
  edit dbt_project.yml 's/materialized: view/materialized: ephemeral/'
  edit models/staging/stg_orders.sql 's/amount_cents/amount_cent/'
  dbt 1 build
  keep target

  start versions
  overlay versions
  dbt 0 build
  keep target

  start disabled
  overlay disabled
  dbt 0 build
  keep target

  start metric
  overlay metric
  dbt 0 build
  keep target

  start source-pass
  overlay source
  dbt 0 run-operation land_returns --args '{landed_at: now()}'
  dbt 0 source freshness
  dbt 0 build
  keep target

  start source-error
  overlay source
  dbt 0 run-operation land_returns --args "{landed_at: timestamp '2020-01-01'}"
  dbt 1 source freshness
  dbt 0 build
  keep target

  # The table of the source is not there at all.
  start source-missing
  overlay source
  dbt 1 source freshness
  dbt 1 build
  keep target

  # dbt 2 warns that it does not support on_error yet, and skips as ever.
  if [[ $major == 1 ]]; then
    start on-error-continue
    overlay on-error-continue
    echo '      orders: { +on_error: continue }' >> "$project/dbt_project.yml"
    dbt 0 build
    dbt 1 build --vars '{break_orders_model: true}'
    keep target
  fi

  # dbt 1 writes nothing when it cannot read the project, dbt 2 does.
  if [[ $major == 2 ]]; then
    start yaml-error
    echo 'models: [' > "$project/models/broken.yml"
    dbt 1 build
    keep target

    start ref-error
    edit models/marts/orders.sql 's/stg_orders/no_such_model/'
    dbt 1 build
    keep target
  fi

  # dbt 1 crashes over the exposures, and what the build before it wrote stays in the target folder.
  start on-run-start-fail
  dbt 0 build
  echo 'on-run-start: select no_such_column' >> "$project/dbt_project.yml"
  if [[ $major == 1 ]]; then dbt 2 build; else dbt 1 build; fi
  keep target

  start on-run-end-fail
  echo 'on-run-end: select no_such_column' >> "$project/dbt_project.yml"
  dbt 1 build
  keep target

  start microbatch
  overlay microbatch
  dbt 1 build --event-time-start 2026-06-28 --event-time-end 2026-07-01
  keep target

  start two-projects
  dbt 0 build
  keep target shop
  beside other
  dbt 0 build
  keep target other
}

start() {
  state=$1
  project=$temp/shop
  rm -rf "$project"
  cp -R "$root/examples/shop" "$project"
  rm -rf "$project"/{target,logs,dbt_packages,.user.yml} "$project"/*.duckdb*
  mkdir "$project/target"
}

# What a state adds to the shop.
overlay() {
  cp -R "$root/scripts/dbt-states/$1/." "$project"
}

# Goes on in a project of its own.
beside() {
  project=$temp/$1
  rm -rf "$project"
  mkdir -p "$project/target"
  overlay "$1"
}

# edit FILE SED-SCRIPT, which must change something.
edit() {
  sed "$2" "$project/$1" > "$temp/edited"
  if cmp -s "$temp/edited" "$project/$1"; then
    echo "$state: $2 changes nothing in $1" >&2
    exit 1
  fi
  cp "$temp/edited" "$project/$1"
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

# keep target [FOLDER], or keep target/FOLDER where a state gives dbt a --target-path: it goes into FOLDER of the state.
keep() {
  "$venv/bin/python" "$root/scripts/dbt-fixtures.py" "$project" "$project/$1" "$temp/$major/$state${2:+/$2}${1#target}"
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
