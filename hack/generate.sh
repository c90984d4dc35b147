#!/usr/bin/env bash
# Makes what is generated from the Go types of the API: deep copies and CRDs.
#
#   hack/generate.sh [DIR]   default: the repository
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_go
cd "${1:-$ROOT}"

go tool controller-gen object crd:maxDescLen=2000 paths=./api/... output:crd:dir=manifests/crds
