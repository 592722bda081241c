#!/usr/bin/env bash
# A house served over HTTP: read balances and an explanation, send an order, follow what happens. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
port=${PORT:-8471}
at=http://127.0.0.1:$port
tsingma demo --trades 2000 --days 1 --out "$folder/demo" > /dev/null
tsingma serve trial --demo "$folder/demo" --out "$folder/trial" --port "$port" > "$folder/trial.log" &
server=$!
trap 'kill $server; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 120); do
    curl -fs "$at/ready" > /dev/null && break
    kill -0 $server || { cat "$folder/trial.log"; exit 1; }
    sleep 0.5
done

token() { tsingma serve token --keys "$folder/trial/keys.toml" --private "$folder/trial/participant.json"; }
ask() { curl -fsS -H "Authorization: Bearer $(token)" "$@"; echo; }

ask "$at/day"
ask "$at/accounts/B00001/HOUSE/balances?limit=2"
ask "$at/instructions?status=failing&limit=1"
day=$(ask "$at/day" | python3 -c 'import json, sys; print(json.load(sys.stdin)["date"])')
order='{"reference": 2, "account_class": "HOUSE", "side": "deliver", "counterparty": "B00002", "kind": "dvp",
        "isin": "ZZ0000000016", "quantity": 500, "currency": "HKD", "amount": "12500.00",
        "trade_date": "'$day'", "intended_date": "'$day'"}'
ask -X POST -H "Idempotency-Key: b1-000011" -H "Content-Type: application/json" -d "$order" "$at/instructions"
ask "$at/orders?limit=1"
ask "$at/events?from=0&follow=false" | tail -n 4
# Another participant's account is not there for this key.
curl -s -o /dev/null -w "%{http_code}\n" -H "Authorization: Bearer $(token)" "$at/accounts/B00002/HOUSE/balances"
curl -s -o /dev/null -w "%{http_code}\n" "$at/console"
