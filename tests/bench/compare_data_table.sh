#!/bin/sh
# Tabulates the same persons with Sluis and with R's data.table, one after the other, and prints both times and their
# ratio. Usage: tests/bench/compare_data_table.sh BUILD_FOLDER [PERSONS]
# Needs the Debian packages r-base-core and r-cran-data.table, which nothing else here needs; installs nothing.
set -eu
build=${1:?give the build folder, such as build/release}
SLUIS_BENCH_PERSONS=${2:-10000000}
export SLUIS_BENCH_PERSONS
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v Rscript >/dev/null || ! Rscript -e 'library(data.table)' >/dev/null 2>&1; then
  echo "compare_data_table: needs R and data.table: apt-get install r-base-core r-cran-data.table" >&2
  exit 2
fi
SLUIS_BENCH_DUMP=$(mktemp -d)
export SLUIS_BENCH_DUMP
trap 'rm -rf "$SLUIS_BENCH_DUMP"' EXIT INT TERM
"$build/bin/tabulate_bench" >"$SLUIS_BENCH_DUMP/sluis.txt"
cat "$SLUIS_BENCH_DUMP/sluis.txt"
Rscript --vanilla "$here/compare_data_table.R" "$SLUIS_BENCH_DUMP"
