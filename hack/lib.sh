# Functions that the scripts of this directory share. Source it; it runs nothing by itself.
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/.build

# The oldest Go that builds this, from go.mod, and the version of Kubernetes that is built in.
GO_WANTED=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$ROOT/go.mod")
KUBERNETES=$(sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$ROOT/go.mod")

# Where system tools are, for users whose PATH holds only what ordinary work needs.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# as_root runs a command as root: directly, or by sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		die "this needs root and there is no sudo: run it as root ($*)"
	fi
}

# version_at_least HAVE WANT is true when HAVE is not older.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# go_version prints the version of a go command, such as 1.26.8, without letting it fetch another one.
go_version() { GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null | sed 's/^go//'; }

# find_go prints the directory of a go command that can build this: one that is new enough, or one that knows how to
# fetch one that is (any since 1.21). It fails when there is none.
find_go() {
	local dir version able="" path

	IFS=: read -ra path <<<"$PATH"
	for dir in "${path[@]}" /usr/local/go/bin "$BUILD/go/bin" /usr/lib/go-*/bin; do
		[ -x "$dir/go" ] || continue
		version=$(go_version "$dir/go") || continue
		if version_at_least "$version" "$GO_WANTED"; then
			printf '%s\n' "$dir"
			return
		fi
		if [ -z "$able" ] && version_at_least "$version" 1.21; then able=$dir; fi
	done

	[ -n "$able" ] && printf '%s\n' "$able"
}

# use_go puts Go on PATH, or says what to do.
use_go() {
	local dir
	dir=$(find_go) || die "Go $GO_WANTED or newer is needed: run hack/setup.sh, or install it from https://go.dev/dl"
	export PATH="$dir:$PATH"
}

# engine_answers is true when a Docker engine answers the present user where DOCKER_HOST, or the default, says.
engine_answers() { have docker && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# has_init is true when systemd runs this machine.
has_init() { [ -d /run/systemd/system ]; }

# alive PIDFILE COMMAND is true when the process of the pid file lives and is that command, and not one that has got its
# id since.
alive() {
	local pid
	pid=$(cat "$1" 2>/dev/null) || return 1
	[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}

# wait_until SECONDS COMMAND… runs the command four times a second until it succeeds.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.25
	done
}

# stop_process PIDFILE COMMAND SECONDS asks a process to stop, waits, and kills it when it does not.
stop_process() {
	alive "$1" "$2" || { rm -f "$1"; return 0; }

	local pid
	pid=$(cat "$1")
	as_root kill -TERM "$pid" 2>/dev/null || true
	if ! wait_until "$3" gone "$1" "$2"; then
		as_root kill -KILL "$pid" 2>/dev/null || true
		wait_until 5 gone "$1" "$2" || die "process $pid ($2) does not die"
	fi
	as_root rm -f "$1"
}

gone() { ! alive "$1" "$2"; }
