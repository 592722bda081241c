#!/usr/bin/env bash
# A risk desk with books at several houses: what would one portfolio call, why, and what would one more trade do?
# Needs `tsingma` on the path. Prices are simulated; with real closes and an index file only the first line changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma simulate market --trades 1000 --days 1 --out "$folder/market" >/dev/null
counter=$(head -1 "$folder/market/prices.csv" | cut -d, -f2 | sed 's/\.HK//' | awk '{ printf "%05d", $1 }')

cat > "$folder/books.csv" <<CSV
book,house,product,factor,notional,strike,days
hedged,HKSCC,stock,$counter,60000000,,
hedged,HKCC,future,INDEX,-50000000,,
hedged,SEOCH,put,$counter,20000000,0.95,30
CSV
cat > "$folder/trade.csv" <<CSV
book,house,product,factor,notional,strike,days
more,SEOCH,call,$counter,-30000000,1.05,30
CSV

tsingma margin explain --prices "$folder/market/prices.csv" --books "$folder/books.csv" --html "$folder/statement.html"
tsingma margin what-if --prices "$folder/market/prices.csv" --books "$folder/books.csv" --add "$folder/trade.csv"
tsingma margin backtest --prices "$folder/market/prices.csv" --books "$folder/books.csv" --every 5
