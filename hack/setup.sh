#!/usr/bin/env bash
# Installs what building, testing and the quickstart need on Debian or Ubuntu, where it is missing. Run again, it does
# nothing. Other distributions: it says what is missing.
#
#   hack/setup.sh [build|engine|test]…   default: build engine test
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Package names, by the command that shows that it is there.
declare -A PACKAGE=(
	[git]=git [make]=make [curl]=curl [tar]=tar [ip]=iproute2 [iptables]=iptables [nsenter]=util-linux
	[prometheus]=prometheus [promtool]=prometheus
	[dockerd]=docker.io [docker]=docker.io [containerd]=containerd [runc]=runc [ps]=procps
)

missing=()

need() {
	local cmd
	for cmd in "$@"; do
		have "$cmd" || missing+=("$cmd")
	done
}

install_missing() {
	[ ${#missing[@]} -gt 0 ] || return 0

	local packages
	packages=$(for cmd in "${missing[@]}"; do printf '%s\n' "${PACKAGE[$cmd]}"; done | sort -u | tr '\n' ' ')
	have apt-get || die "missing: ${missing[*]}. Install them with this system's package manager (on Debian: $packages)"

	say "Installing $packages"
	as_root apt-get -qq update || say "apt-get update failed; trying with what is known"
	# Tests want the programs of this one and no server that nobody has asked for.
	if [[ " $packages " == *" prometheus "* ]]; then
		stopped=yes apt_install prometheus
		packages=${packages/prometheus /}
	fi
	# shellcheck disable=SC2086 # a list of packages
	[ -z "$packages" ] || apt_install $packages
	# Debian's newer releases have the docker command in a package of its own.
	if [[ " $packages " == *" docker.io "* ]] && ! have docker; then apt_install docker-cli; fi
	missing=()
}

# apt_install installs packages. Where no init system supervises services, or stopped is set, packages are kept from starting
# theirs: the scripts start their own engine, and know how to stop it.
apt_install() {
	local policy=/usr/sbin/policy-rc.d made=""
	if { ! has_init || [ -n "${stopped-}" ]; } && [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod +x "$policy"
		made=yes
	fi

	local rc=0
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" >/dev/null || rc=$?

	[ -z "$made" ] || as_root rm -f "$policy"
	[ "$rc" -eq 0 ] || die "apt-get could not install: $*"
}

# setup_go makes sure that find_go finds something. The distribution's own Go is enough as a start: since 1.21 it fetches
# the version that go.mod asks for, and an older one can fetch it as the module that it is published as.
setup_go() {
	local dir
	if dir=$(find_go); then
		say "Go $(go_version "$dir/go") in $dir"
		return
	fi

	local old
	old=$(command -v go || true)
	if [ -z "$old" ]; then
		have apt-get || die "Go $GO_WANTED or newer is needed: install it from https://go.dev/dl"
		say "Installing golang-go"
		as_root apt-get -qq update || true
		apt_install golang-go
		if find_go >/dev/null; then return; fi
		old=$(command -v go) || die "Go $GO_WANTED or newer is needed: install it from https://go.dev/dl"
	fi

	say "Fetching Go $GO_WANTED with Go $(go_version "$old")"
	fetch_go "$old"
	find_go >/dev/null || die "Go $GO_WANTED or newer is needed: install it from https://go.dev/dl"
}

# fetch_go takes the toolchain from the module proxy, where it is a module. A module's files are not executable, and a
# go command before 1.21 does not know that these should be.
fetch_go() {
	local arch dir
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) die "Go $GO_WANTED or newer is needed: install it from https://go.dev/dl" ;;
	esac

	dir=$(cd / && GO111MODULE=on GOFLAGS=-mod=mod "$1" mod download -json "golang.org/toolchain@v0.0.1-go$GO_WANTED.linux-$arch" |
		sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')
	[ -n "$dir" ] || die "Go $GO_WANTED could not be fetched: install it from https://go.dev/dl"

	rm -rf "$BUILD/go"
	mkdir -p "$BUILD"
	cp -R "$dir" "$BUILD/go"
	chmod -R u+w "$BUILD/go"
	find "$BUILD/go/bin" "$BUILD/go/pkg/tool" -type f -exec chmod +x {} +
}

# setup_kubectl: conformance is tested with the real kubectl. Where there is none, the one that the version of Kubernetes
# in go.mod is released with is built from the module that is here anyway.
setup_kubectl() {
	if have kubectl || [ -x "$BUILD/tools/kubectl" ]; then return; fi

	say "Building kubectl $KUBERNETES"
	use_go
	mkdir -p "$BUILD/tools"
	(cd "$ROOT" && go build -trimpath \
		-ldflags "-X k8s.io/component-base/version.gitVersion=$KUBERNETES -X k8s.io/client-go/pkg/version.gitVersion=$KUBERNETES" \
		-o "$BUILD/tools/kubectl" k8s.io/kubernetes/cmd/kubectl)
}

if [ $# -eq 0 ]; then set -- build engine test; fi

for what in "$@"; do
	case $what in
	build) need git make curl tar ;;
	engine) if ! engine_answers; then need dockerd docker containerd runc iptables ip; fi ;;
	test) need dockerd docker containerd runc iptables ip nsenter curl ps prometheus promtool ;;
	*) die "unknown: $what" ;;
	esac
done

install_missing

for what in "$@"; do
	case $what in
	build) setup_go ;;
	test) setup_kubectl ;;
	esac
done
