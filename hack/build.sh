#!/usr/bin/env bash
# Builds bin/dogker. The version of Kubernetes is told to the linker because clients read and compare it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_go
cd "$ROOT"

VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo development)}

go build -trimpath -o bin/dogker -ldflags "-s -w \
	-X main.version=$VERSION \
	-X k8s.io/component-base/version.gitVersion=$KUBERNETES \
	-X k8s.io/client-go/pkg/version.gitVersion=$KUBERNETES" ./cmd/dogker
