#!/usr/bin/env bash
# A stranger's link: one rule file, no line of code. Check it, run its day, run it again with sellers that fail.
# Needs `tsingma` on the path. How the file was written: docs/write-a-link.md.
set -euo pipefail
file="$(dirname "$0")/hong-kong-asean.toml"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma links check "$file"
tsingma links run "$file" --house "$folder/house" | tee "$folder/day.txt"
grep -q "records proved" "$folder/day.txt"
tsingma verify --house "$folder/house"

echo "== the same day, with sellers that come without their stock"
tsingma links run "$file" --fail --json > "$folder/failed.json"
grep -o '"failed_positions":[1-9][0-9]*' "$folder/failed.json"

echo "== the three proposals, from their rule files alone"
for link in commodity-connect futures-connect ipo-connect; do
    tsingma links run "$link" | tail -1
done
