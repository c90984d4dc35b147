#!/usr/bin/env bash
# The checks that run nothing: generated files, format, vet, lint, scripts. It changes no file and reports everything
# that is wrong, not only the first.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_go
cd "$ROOT"

TAGS=e2e,conformance,faults
failed=0

# verify NAME COMMAND… fails the check when the command fails or prints anything.
verify() {
	local name=$1 out rc=0
	shift
	say "$name"
	out=$("$@" 2>&1) || rc=$?
	if [ "$rc" -ne 0 ] || [ -n "$out" ]; then
		printf '%s\n' "$out" >&2
		printf 'error: %s\n' "$name" >&2
		failed=1
	fi
}

# generated makes everything that is generated again, elsewhere, and compares.
generated() {
	local copy rc=0
	copy=$(mktemp -d)
	cp -R --parents go.mod go.sum api manifests/crds "$copy"
	(cd "$copy" && "$ROOT/hack/generate.sh" .) || rc=$?
	diff -r api "$copy/api" || rc=1
	diff -r manifests/crds "$copy/manifests/crds" || rc=1
	rm -rf "$copy"
	[ "$rc" -eq 0 ] || echo "run make generate"
	return "$rc"
}

formatted() { git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l; }

scripts() {
	local f
	for f in hack/*.sh .ci/run; do bash -n "$f"; done
	if have shellcheck; then shellcheck -x hack/*.sh .ci/run; fi
}

# linted leaves out what a comment says is meant: //nolint:staticcheck and the reason, on the line or the one above.
linted() {
	local finding file line
	# Exit code 1 only says that there are findings; each is looked at here.
	{ go tool staticcheck -tags "$TAGS" ./... || [ $? -eq 1 ]; } | while IFS= read -r finding; do
		IFS=: read -r file line _ <<<"$finding"
		if ! [ -f "$file" ] || ! sed -n "$((line > 1 ? line - 1 : 1)),${line}p" "$file" | grep -q '//nolint:staticcheck // *[^ ]'; then
			printf '%s\n' "$finding"
		fi
	done
}

verify "generated files are up to date" generated
verify "Go files are formatted" formatted
verify "scripts parse" scripts
verify "go vet" go vet -tags "$TAGS" ./...
verify "staticcheck" linted

exit "$failed"
