#!/usr/bin/env bash
# Runs every fuzz target of the repository for a while. A found input is saved by go under testdata/fuzz: commit it.
#
#   hack/fuzz.sh [TIME]   default: 30s each
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_go
cd "$ROOT"

git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9_]+' | while IFS=: read -r file target; do
	say "${target#func } in $(dirname "$file")"
	go test -run '^$' -fuzz "^${target#func }\$" -fuzztime "${1:-30s}" "./$(dirname "$file")"
done
