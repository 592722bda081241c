#!/usr/bin/env bash
# A renminbi bond from tender to its first coupon, in a house of its own. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/issue.jsonl" <<'LINES'
{"type": "load-reference", "book": {"counters": [{"code": "RMB1", "isin": "ZZ0000000016", "currency": "CNY", "kind": "bond", "market": "CMU", "lot": 1, "tick_e4": 1, "settlement_counter": true, "name": "RMB1"}, {"code": "RMB2", "isin": "ZZ0000000024", "currency": "CNY", "kind": "bond", "market": "CMU", "lot": 1, "tick_e4": 1, "settlement_counter": true, "name": "RMB2"}], "participants": [{"code": "HKSCC", "name": "HKSCC", "kind": "house"}, {"code": "CHINACLEAR", "name": "CHINACLEAR", "kind": "link"}, {"code": "ISSUER", "name": "ISSUER", "kind": "issuer"}, {"code": "BANK", "name": "BANK", "kind": "settlement-bank"}, {"code": "MOF", "name": "MOF", "kind": "issuer"}, {"code": "A", "name": "A", "kind": "custodian"}, {"code": "B", "name": "B", "kind": "custodian"}], "accounts": [{"participant": "HKSCC", "account_class": "CNS"}, {"participant": "HKSCC", "account_class": "HOUSE"}, {"participant": "ISSUER", "account_class": "ISSUANCE"}, {"participant": "BANK", "account_class": "ISSUANCE"}, {"participant": "MOF", "account_class": "HOUSE"}, {"participant": "A", "account_class": "HOUSE"}, {"participant": "B", "account_class": "HOUSE"}]}}
{"type": "open-day", "day": "2026-01-05"}
{"type": "deposit-assets", "owner": ["A/HOUSE", "B/HOUSE", "MOF/HOUSE"], "asset": ["CNY", "CNY", "CNY"], "amount": [90000000, 90000000, 5000000]}
{"type": "open-depository", "code": "CCDC", "name": "China Central Depository & Clearing"}
{"type": "open-depository", "code": "CMU", "name": "Central Moneymarkets Unit", "upper": "CCDC"}
{"type": "register-security", "terms": {"isin": "ZZ0000000016", "product": "sovereign", "payer": "MOF/HOUSE", "currency": "CNY", "depository": "CCDC", "face_cents": 10000, "issue_day": "2026-01-06", "maturity_day": "2028-01-06", "months": 6}}
{"type": "open-offer", "isin": "ZZ0000000016", "method": "coupon-tender", "units": 10000, "lot": 5000, "settlement_day": "2026-01-06"}
{"type": "place-bid", "offer": 0, "account": "A/HOUSE", "units": 5000, "at": 17500000}
{"type": "place-bid", "offer": 0, "account": "B/HOUSE", "units": 10000, "at": 18200000}
{"type": "allot-offer", "offer": 0}
{"type": "end-day"}
{"type": "open-day", "day": "2026-01-06"}
{"type": "settle-offer", "offer": 0}
{"type": "place-holding", "account": "B/HOUSE", "isin": "ZZ0000000016", "depository": "CMU"}
{"type": "report-nominee", "depository": "CMU", "isin": "ZZ0000000016", "units": 5000}
{"type": "end-day"}
LINES
cat >"$folder/coupon.jsonl" <<'LINES'
{"type": "open-day", "day": "2026-07-06"}
{"type": "pay-due", "due": 0}
{"type": "end-day"}
LINES

tsingma custody send --file "$folder/issue.jsonl" --house "$folder/house"
tsingma custody issue --house "$folder/house"
tsingma custody holdings --house "$folder/house"
tsingma custody due --house "$folder/house"

tsingma custody send --file "$folder/coupon.jsonl" --house "$folder/house"
tsingma custody due --house "$folder/house" --all
tsingma verify --house "$folder/house"

# Sent again, nothing is done twice; a line that is wrong is named.
tsingma custody send --file "$folder/coupon.jsonl" --house "$folder/house" >/dev/null
echo '{"type": "pay-due", "due": "first"}' >"$folder/wrong.jsonl"
if tsingma custody send --file "$folder/wrong.jsonl" --house "$folder/house"; then
    echo "a bad file was taken" >&2
    exit 1
fi
