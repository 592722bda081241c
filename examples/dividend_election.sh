#!/usr/bin/env bash
# A dividend in two monies with tax, then a split, in a house of its own. Needs `tsingma` on the path.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/announce.jsonl" <<'LINES'
{"type": "load-reference", "book": {"counters": [{"code": "5", "isin": "HK0005000002", "currency": "HKD", "kind": "equity", "market": "XHKG", "lot": 100, "tick_e4": 100, "settlement_counter": true, "name": "5"}, {"code": "80005", "isin": "HK0005000002", "currency": "CNY", "kind": "equity", "market": "XHKG", "lot": 100, "tick_e4": 100, "settlement_counter": false, "name": "5-R"}], "participants": [{"code": "HKSCC", "name": "HKSCC", "kind": "house"}, {"code": "CHINACLEAR", "name": "ChinaClear", "kind": "link"}, {"code": "ISSUER", "name": "Issuers", "kind": "issuer"}, {"code": "BANK", "name": "Bank", "kind": "settlement-bank"}, {"code": "A", "name": "A", "kind": "custodian"}, {"code": "B", "name": "B", "kind": "direct-clearing"}], "accounts": [{"participant": "HKSCC", "account_class": "CNS"}, {"participant": "HKSCC", "account_class": "HOUSE"}, {"participant": "ISSUER", "account_class": "ISSUANCE"}, {"participant": "BANK", "account_class": "ISSUANCE"}, {"participant": "CHINACLEAR", "account_class": "OMNIBUS"}, {"participant": "A", "account_class": "HOUSE"}, {"participant": "B", "account_class": "HOUSE"}]}}
{"type": "open-day", "day": "2026-01-08"}
{"type": "deposit-assets", "owner": ["A", "B", "CHINACLEAR/OMNIBUS"], "asset": ["HK0005000002", "HK0005000002", "HK0005000002"], "amount": [1000, 500, 2000]}
{"type": "deposit-assets", "owner": ["ISSUER/ISSUANCE", "ISSUER/ISSUANCE"], "asset": ["HKD", "CNY"], "amount": [1000000, 1000000]}
{"type": "declare-tax-status", "account": "CHINACLEAR/OMNIBUS", "holder": "southbound-individual"}
{"type": "announce-corporate-action", "terms": {"reference": "DIV-2025", "kind": "cash-dividend", "security": "HK0005000002", "options": [{"code": "CASH", "cash": [{"currency": "HKD", "amount_e9": 300000000, "rate_e9": 1080000000}], "is_default": true}, {"code": "CASH", "cash": [{"currency": "CNY", "amount_e9": 300000000}]}], "ex_day": "2026-01-08", "record_day": "2026-01-09", "deadline_day": "2026-01-14", "pay_day": "2026-01-16", "tax_regime": "h-share"}}
{"type": "announce-corporate-action", "terms": {"reference": "SPLIT-2026", "kind": "split", "security": "HK0005000002", "options": [{"code": "SECU", "shares": [{"security": "HK0005000002", "new": 5, "old": 1}]}], "ex_day": "2026-01-19"}}
{"type": "end-day"}
{"type": "open-day", "day": "2026-01-09"}
{"type": "end-day"}
{"type": "open-day", "day": "2026-01-12"}
{"type": "elect-option", "reference": "DIV-2025", "account": "B", "option": 1, "quantity": 400}
LINES
cat >"$folder/pay.jsonl" <<'LINES'
{"type": "end-day"}
{"type": "open-day", "day": "2026-01-14"}
{"type": "end-day"}
{"type": "open-day", "day": "2026-01-16"}
{"type": "end-day"}
LINES

tsingma custody send --file "$folder/announce.jsonl" --house "$folder/house"
tsingma custody events --house "$folder/house"
tsingma custody entitlements DIV-2025 --house "$folder/house"

tsingma custody send --file "$folder/pay.jsonl" --house "$folder/house"
tsingma custody events --house "$folder/house" --all
tsingma view balances --house "$folder/house" --participant B
tsingma verify --house "$folder/house"
