#!/bin/bash
# Prints how well `sluis match` links the registers with a truth in SLUIS_TEST_DATA/linkage (default: ../shared/data beside
# the checkout), and what it estimated itself, without the truth. Plans: the default, and the field-level profile.
#   tests/bench/match_quality.sh BUILD_DIRECTORY [SEED ...]
set -euo pipefail
if [ $# -lt 1 ] || [ ! -x "$1/bin/sluis" ]; then
  echo "usage: $0 BUILD_DIRECTORY [SEED ...], with bin/sluis in the build directory" >&2
  exit 2
fi
sluis=$1/bin/sluis
shift
seeds=("${@:-1}")
source=$(cd "$(dirname "$0")/../.." && pwd)
data=${SLUIS_TEST_DATA:-$source/../shared/data}/linkage
schemas=$source/tests/testdata
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -d "$data/febrl" ] || [ ! -d "$data/five-party" ]; then
  echo "skipped: no linkage data in $data; set SLUIS_TEST_DATA" >&2
  exit 0
fi

# The truth stands in the ids: FEBRL's rec-NUMBER-org and rec-NUMBER-dup-N, and the five parties' common id.
{
  echo entity,source,record_id
  for name in dataset3 dataset4a dataset4b; do
    tail -n +2 "$data/febrl/$name.csv" | cut -d, -f1 | awk -F- -v OFS=, -v name=$name '{print "febrl" $2, name, $0}'
  done
  for party in 1 2 3 4 5; do
    tail -n +2 "$data/five-party/dataset-$party.csv" | cut -d, -f1 | awk -v OFS=, -v party=$party '{print "five" $0, "dataset-" party, $0}'
  done
} > "$work/truth.csv"
echo "{}" > "$work/record.yaml"
echo "profile: FIELD_LEVEL" > "$work/field.yaml"

measure() {  # label, profile, seed, schema, inputs ...
  local label=$1 profile=$2 seed=$3 schema=$4 inputs=()
  shift 4
  for file in "$@"; do inputs+=(--input "$file"); done
  "$sluis" match --quiet --schema "$schemas/$schema" "${inputs[@]}" --plan "$work/$profile.yaml" --seed "$seed" \
    --out "$work/links.csv" --report "$work/report.json" --evaluate "$work/truth.csv" > /dev/null
  python3 - "$label" "$profile" "$seed" "$work/report.json" << 'PYTHON'
import json, sys
label, profile, seed, path = sys.argv[1:]
report = json.load(open(path))
true, bcubed, estimate = report["evaluation"]["pairwise"], report["evaluation"]["b_cubed"], report["estimate"]
seconds = sum(step["seconds"] for step in report["times"])
def interval(name):
    if not estimate["available"]:
        return "not credible"
    return "%.4f (%.4f-%.4f)" % tuple(estimate[name][key] for key in ("value", "low", "high"))
print("%-18s %-7s %4s  %.4f %.4f %.4f  %.4f   %s  %s  %6.1f s" % (
    label, profile, seed, true["precision"], true["recall"], true["f1"], bcubed["f1"],
    interval("precision"), interval("recall"), seconds))
PYTHON
}

echo "registers          profile seed  P      R      F1      B-cubed  P estimated (90 %)      R estimated (90 %)      time"
for seed in "${seeds[@]}"; do
  for profile in record field; do
    measure "FEBRL4" $profile "$seed" febrl.schema.yaml "$data/febrl/dataset4a.csv" "$data/febrl/dataset4b.csv"
    measure "FEBRL3 dedupe" $profile "$seed" febrl.schema.yaml "$data/febrl/dataset3.csv"
    measure "five-party 1 x 2" $profile "$seed" five_party.schema.yaml "$data"/five-party/dataset-[12].csv
    measure "five-party, all" $profile "$seed" five_party.schema.yaml "$data"/five-party/dataset-[1-5].csv
  done
done
