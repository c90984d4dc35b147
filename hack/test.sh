#!/usr/bin/env bash
# Runs tests in stages, shows them, checks that nothing is left on the machine, and ends with their number.
#
#   hack/test.sh [check|unit|conformance|faults|e2e]…   default: all of them
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_go
cd "$ROOT"

OUT=$BUILD/test
TOTALS=$OUT/totals
export DOGKER_BIN=${DOGKER_BIN:-$ROOT/bin/dogker} DOGKER_LAB_LOGS=$OUT/engine-logs
# Real clients, of hack/tools: Helm and kustomize; and a real S3 server.
export DOGKER_TOOLS=$BUILD/tools

# stage TITLE ARGS… is one go test. testsum counts what fails and then exits with 1; what it did not see, such as a flag
# that go test does not know, counts as a failure, too.
stage() {
	local title=$1
	shift
	say "$title"
	attempt "$OUT/stage.totals" "$@" || {
		[ -s "$OUT/stage.totals" ] || echo "0 1 0" >"$OUT/stage.totals"
		printf 'FAIL\t%s\n' "$title"
	}
	cat "$OUT/stage.totals" >>"$TOTALS"
}

# patient is a stage whose tests wait for engines and processes on a machine that may be busy: up to three tests that
# fail run once more, alone. One that then passes is called flaky and counts as passed; one that fails twice has failed.
patient() {
	local title=$1 names once=$OUT/stage.totals
	shift
	say "$title"
	if ! attempt "$once" "$@"; then
		names=$(sed -n 's/^--- FAIL: \(Test[A-Za-z0-9_]*\) .*/\1/p' "$OUT/stage.log" | sort -u)
		if [ -s "$once" ] && [ -n "$names" ] && [ "$(wc -w <<<"$names")" -le 3 ]; then
			say "Once more, alone: $(echo $names)"
			sed -i 's/^\([0-9]*\) [0-9]* /\1 0 /' "$once"
			if attempt "$OUT/again.totals" "$@" -parallel 1 -run "$(only "$OUT/stage.log")"; then
				printf 'FLAKY\t%s\n' $names
			fi
			cat "$OUT/again.totals" >>"$once"
		else
			[ -s "$once" ] || echo "0 1 0" >"$once"
			printf 'FAIL\t%s\n' "$title"
		fi
	fi
	cat "$once" >>"$TOTALS"
}

# only LOG is the pattern of the tests that failed there: of their subtests those that did, where each test has one.
only() {
	local tests parents subtests
	tests=$(sed -n 's/^--- FAIL: \(Test[A-Za-z0-9_]*\) .*/\1/p' "$1" | sort -u)
	parents=$(sed -n 's/^--- FAIL: \(Test[A-Za-z0-9_]*\)\/.*/\1/p' "$1" | sort -u)
	printf '^(%s)$' "$(paste -sd '|' <<<"$tests")"
	[ "$tests" = "$parents" ] || return 0
	subtests=$(sed -n 's/^--- FAIL: Test[A-Za-z0-9_]*\/\([^/ ]*\).*/\1/p' "$1" | sort -u | sed 's/[][\\.*^$+?(){}|]/\\&/g')
	printf '/^(%s)$' "$(paste -sd '|' <<<"$subtests")"
}

# attempt TOTALS ARGS… runs go test once and writes its numbers, and what it printed to stage.log.
attempt() {
	local totals=$1 codes
	shift
	: >"$totals"
	set +e
	go test -json "$@" | "$OUT/testsum" -totals "$totals" | tee "$OUT/stage.log"
	codes=("${PIPESTATUS[@]}")
	set -e
	if [ "${codes[0]}" -ne 0 ] && [ "${codes[1]}" -eq 0 ]; then echo "0 1 0" >>"$totals"; fi

	[ "${codes[0]}" -eq 0 ] && [ "${codes[1]}" -eq 0 ]
}

# step TITLE COMMAND… is something that is no go test and counts as one.
step() {
	local title=$1
	shift
	if "$@"; then echo "1 0 0" >>"$TOTALS"; else count_failure "$title"; fi
}

count_failure() {
	printf 'FAIL\t%s\n' "$1"
	echo "0 1 0" >>"$TOTALS"
}

# heavy lists packages whose tests link Kubernetes' API server or its controllers: compiling those a second time for the
# race detector takes longer than all tests together. The rest is light.
classify() {
	go list -e -test -f '{{if eq .Name "main"}}{{.ImportPath}} {{join .Deps " "}}{{end}}' ./... |
		awk -v want="$1" '$1 ~ /\.test$/ {
			heavy = / k8s\.io\/kubernetes\/pkg\/(controlplane|controller)[ \/]/ ? "heavy" : "light"; sub(/\.test$/, "", $1)
			if (heavy == want && $1 !~ /\/test\/faults(\/|$)/) print $1 }'
}

unit() {
	local light heavy
	light=$(classify light)
	heavy=$(classify heavy)
	# shellcheck disable=SC2086 # lists of packages
	stage "unit tests, with the race detector" -race $light
	# shellcheck disable=SC2086
	[ -z "$heavy" ] || stage "unit tests that link Kubernetes" $heavy
}

# tagged TAG ARGS… runs, package by package, the tests of the files with a build tag, and no others a second time.
tagged() {
	local tag=$1 dir files names
	shift
	for dir in $(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -lE "^//go:build .*\b$tag\b" | xargs -n 1 dirname | sort -u); do
		files=$(grep -lE "^//go:build .*\b$tag\b" "$dir"/*_test.go)
		# shellcheck disable=SC2086 # a list of files
		names=$(sed -n 's/^func \(Test[A-Za-z0-9_]*\)(t \*testing\.T).*/\1/p' $files | paste -sd '|')
		[ -n "$names" ] || continue
		patient "$tag tests in $dir" -tags "$tag" -count 1 "$@" -run "^($names)\$" "./$dir"
	done
}

# part_of N COMMIT STAGE… runs a stage of faults with one plan in N.
part_of() {
	local n=$1 commit=$2
	shift 2
	[ -n "${DOGKER_LONG-}" ] || export DOGKER_FAULTS=$((commit % n))/$n
	"$@"
	unset DOGKER_FAULTS
}

run() {
	case $1 in
	check) step "check" hack/check.sh ;;
	unit) unit ;;
	conformance) tagged conformance -timeout 25m ;;
	faults)
		# A third of all calls of every scenario, and of the other kinds of harm one plan in twelve, to stay within an hour;
		# another part for each commit. All of them: DOGKER_LONG=1, or go test ./test/faults
		local commit=$((16#$(git rev-parse --short=7 HEAD 2>/dev/null || echo 0)))
		part_of 3 $commit stage "faults at every call" -timeout 40m -run '^TestFaults$' ./test/faults/...
		part_of 12 $commit stage "stale views, lost events, outages and storms" -timeout 60m -skip '^TestFaults$' ./test/faults/...
		;;
	e2e) tagged e2e -timeout 60m ;;
	*) die "unknown stage: $1" ;;
	esac
}

[ $# -gt 0 ] || set -- check unit conformance faults e2e

mkdir -p "$OUT" "$DOGKER_LAB_LOGS"
: >"$TOTALS"
go build -o "$OUT/testsum" ./hack/testsum
if [[ " $* " == *" e2e "* || " $* " == *" conformance "* ]]; then
	say "Building dogker"
	hack/build.sh
	say "Building Helm and kustomize"
	go build -C hack/tools -ldflags "-s -w" -o "$DOGKER_TOOLS/" tool
	# Its libraries take minutes to compile, and nothing in the server stands on what it tests yet.
	if [ -n "${DOGKER_LONG-}" ]; then
		say "Building an S3 server"
		go build -C hack/tools/s3 -ldflags "-s -w" -o "$DOGKER_TOOLS/" tool
	fi
fi
hack/leaks.sh before "$OUT/before"

for name in "$@"; do run "$name"; done

step "nothing is left behind" hack/leaks.sh after "$OUT/before"

"$OUT/testsum" -sum "$TOTALS"
