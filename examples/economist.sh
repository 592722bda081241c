#!/usr/bin/env bash
# An economist's first hour: the duty on a flat, two scenarios as paths, what moved them, and the claims with their count.
# Needs `tsingma` on the path. With the public series in DIR, `economy claims --data DIR` tests what needs them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tsingma economy duty --price 110000000 --date 2026-03-01 --kind residential
tsingma economy property run --scenario reunion-down --replications 2000 --path "$folder/homes.toml"
tsingma economy renminbi run --scenario offshore-squeeze --replications 2000 --path "$folder/renminbi.json"
head -n 8 "$folder/homes.toml"
tsingma economy claims | tail -n 1
