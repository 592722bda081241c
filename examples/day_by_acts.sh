#!/usr/bin/env bash
# A day begun by the batch and ended by acts of two operators over HTTP; then nothing is left to the batch. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
port=${PORT:-8472}
at=http://127.0.0.1:$port
cd "$folder"
tsingma simulate market --trades 2000 --days 1 --plain --out market > /dev/null
tsingma margin parameters --prices market/prices.csv --out market/RPF01.csv > /dev/null
tsingma day run --house house --market market --date 2026-01-05 --until free-of-payment-cut-off | tail -n 9

for who in chan lee; do
    tsingma serve key --keys keys.toml --private $who.json --id $who --role operator --person $who > /dev/null
done
tsingma serve --house house --market market --keys keys.toml --port "$port" 2> serve.log &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 120); do
    curl -fs "$at/ready" > /dev/null && break
    kill -0 $server || { cat serve.log; exit 1; }
    sleep 0.5
done

ask() { # who, path, and what a change says
    curl -fsS -H "Authorization: Bearer $(tsingma serve token --keys keys.toml --private "$1.json")" \
        ${3:+-X POST -H "Idempotency-Key: $1-$RANDOM$RANDOM" -H "Content-Type: application/json" -d "$3"} "$at$2"
}
act() { # chan proposes, lee looks at it and approves
    number=$(ask chan /acts "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["number"])')
    ask lee "/acts?limit=1" | python3 -c 'import json, sys; one = json.load(sys.stdin)["items"][0]; print(one["step"], one["figures"])'
    ask lee "/acts/$number/approve" "{}"
    echo
}
act '{"act": "run-step", "step": "fails-and-fees"}'
act '{"act": "call-margin"}'
act '{"act": "close-day"}'
kill $server
wait $server 2>/dev/null || true

tsingma day run --house house --market market --parameters market/RPF01.csv --date 2026-01-05
tsingma verify --house house
