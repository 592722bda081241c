#!/usr/bin/env bash
# A government bond as tokens: issued in four currencies, traded, compared with the book, redeemed; then the protocol
# between the two ledgers on trial. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma token issue                                     # the whole life, in memory

# The same issue as it stood two days after the settlement, in a folder with two journals.
tsingma token issue --house "$folder/tokens" --until trades >/dev/null
tsingma token trade --house "$folder/tokens" --token HKGB-HKD-2027 --seller BANK-A --buyer BANK-B --face 2000000 --price 100.04
tsingma token trade --house "$folder/tokens" --token HKGB-CNY-2030 --seller OFFICE-F --buyer FUND-C --face 1000000 --money tokens
tsingma token trade --house "$folder/tokens" --token HKGB-USD-2028 --seller FUND-D --buyer BANK-B --face 500000 --settle next-day
tsingma token reconcile --house "$folder/tokens"
tsingma token settle --house "$folder/tokens" --at "2025-11-14 09:00"
tsingma verify --house "$folder/tokens"

# More than there is: refused, and let go on both ledgers.
if tsingma token trade --house "$folder/tokens" --token HKGB-EUR-2029 --seller BANK-B --buyer OFFICE-F --face 90000000; then
    echo "a trade without money was settled" >&2
    exit 1
fi

tsingma token simulate --seed 1 --seeds 40 | tail -1   # crashes, losses, repeats, delays, skewed clocks
