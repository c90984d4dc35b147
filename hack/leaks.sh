#!/usr/bin/env bash
# Tells what a test run has left on the machine: processes, network namespaces, interfaces, mounts, cgroups, directories.
#
#   hack/leaks.sh before FILE    note what is there
#   hack/leaks.sh after FILE     print what has come since; exit 1 when there is anything
#
# What belongs to a lab of tests (internal/lab) whose owner still lives is somebody else's, and is not counted.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The processes that tests start, by the name the kernel knows them by (15 characters).
ENGINE_PROCESSES='dockerd|containerd|containerd-shim.*|docker-proxy|docker-init|runc|dogker|e2e.test|lab'

# owner_lives NAME is true for a part of a lab (dogkerlab-PID-START-N…) whose owner runs.
owner_lives() {
	local pid started stat
	[[ $1 =~ dogkerlab-([0-9]+)-([0-9]+)- ]] || return 1
	pid=${BASH_REMATCH[1]} started=${BASH_REMATCH[2]}
	[ "$pid" != 0 ] || return 0
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
	# The fields after the command, which may hold spaces.
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "${20}" = "$started" ]
}

processes() {
	local dir pid name cgroup started
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		name=$(cat "$dir/comm" 2>/dev/null) || continue
		cgroup=$(tr '\n' ' ' <"$dir/cgroup" 2>/dev/null) || continue
		[[ $name =~ ^($ENGINE_PROCESSES)$ || $cgroup == *dogkerlab* ]] || continue
		if owner_lives "$cgroup"; then continue; fi
		started=$(sed 's/.*) //' "$dir/stat" 2>/dev/null | cut -d ' ' -f 20) || continue
		printf 'process %s (%s, started %s)\n' "$pid" "$name" "$started"
	done
}

# listing has nothing of a sort where there is nothing: that there is no directory, and that nothing matches, is no failure.
listing() {
	processes
	{ ls /run/netns 2>/dev/null || true; } | sed 's/^/namespace /'
	ls /sys/class/net | sed 's/^/interface /'
	# Mounts of engines and labs; those of the system come and go.
	{ cut -d ' ' -f 5 /proc/self/mountinfo | grep -E 'dogker|/docker/|/run/netns/|overlay2' || true; } | sort -u | sed 's/^/mount /'
	{ find /sys/fs/cgroup -maxdepth 3 -type d -name 'dogkerlab*' 2>/dev/null || true; } | sed 's/^/cgroup /'
	{ find "${TMPDIR:-/tmp}" -maxdepth 2 -name 'dogker*' 2>/dev/null | grep -v -e '/dogkerlab$' -e 'dogker[a-z0-9-]*-logs' || true; } |
		sed 's/^/path /'
}

foreign_removed() {
	local line
	while read -r line; do
		if ! owner_lives "$line"; then printf '%s\n' "$line"; fi
	done
}

snapshot() { listing | foreign_removed | LC_ALL=C sort -u; }

came_since() { snapshot | LC_ALL=C comm -13 "$1" -; }
nothing_came() { [ -z "$(came_since "$1")" ]; }

case ${1:-} in
before) snapshot >"$2" ;;
after)
	# The kernel and the engines take a moment to let go.
	if ! wait_until 20 nothing_came "$2"; then
		echo "left behind by the tests:" >&2
		came_since "$2" >&2
		exit 1
	fi
	;;
*) die "say: before FILE, or after FILE" ;;
esac
