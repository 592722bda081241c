#!/usr/bin/env bash
# A risk desk's first question: what is my HKSCC margin, and why. Needs `tsingma` on the path.
# The parameter file is made from a simulated price history; with HKEX's own RPF01 only the first two lines change.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma simulate market --trades 1000 --days 1 --out "$folder/market" >/dev/null
tsingma margin parameters --prices "$folder/market/prices.csv" --out "$folder/RPF01.csv" >/dev/null

cat > "$folder/positions.csv" <<'CSV'
instrument,quantity,contract_value,market_value
1,100000,4100000,4000000
2,-50000,-1500000,-1600000
CSV

cat > "$folder/participant.toml" <<'TOML'
margin_multiplier = 1
margin_credit = 5000000
credit_risk_addon = 0
ad_hoc_addon = 0
tier_p_floor = 0.032
min_tick = 0.001
hedge_instrument = "2800"
TOML

tsingma margin hkscc --parameters "$folder/RPF01.csv" --positions "$folder/positions.csv" \
    --participant "$folder/participant.toml" --explain
