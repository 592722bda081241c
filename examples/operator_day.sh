#!/usr/bin/env bash
# An operator's day: run it from files, look at it, prove it, and see what a bad file does. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma simulate market --trades 2000 --days 2 --plain --out "$folder/market" >/dev/null
tsingma day run --house "$folder/house" --market "$folder/market" --date 2026-01-05
tsingma day status --house "$folder/house"

# One quantity of the second day is spoilt: the file is refused whole, with file, line and field.
sed -i '1204s/CLIENT,[0-9]*,/CLIENT,-500,/; 1204s/HOUSE,[0-9]*,/HOUSE,-500,/' "$folder/market/trades-2026-01-06.csv"
if tsingma day run --house "$folder/house" --market "$folder/market" --date 2026-01-06; then
    echo "a bad file was taken" >&2
    exit 1
fi

tsingma day verify --house "$folder/house"
tsingma day replay --house "$folder/house"
