#!/bin/sh
# Makes a tenant, and a token with which CI deploys to it.
#
#   new-tenant.sh NAME PLAN > token
#
# It needs no terminal. It can be run again: the tenant stays as it is, and the token before is void. The token alone goes to
# standard output; everything else goes to standard error. The exit code is 0 when the tenant is ready and the token is good.
set -eu

[ $# -eq 2 ] || { echo "usage: new-tenant.sh NAME PLAN" >&2; exit 64; }

kubectl apply --server-side -f - >&2 <<EOF
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: $1}
spec: {planName: $2}
EOF

kubectl wait "tenant/$1" --for=condition=Ready --timeout=2m >&2

dogker deploy-token ci --namespace "$1" --scope Deploy --expires 2160h
