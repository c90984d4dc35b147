#!/usr/bin/env bash
# Removes what was built, except what a running quickstart needs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

rm -rf .build/test .build/run
if [ -d .build/quickstart ]; then
	say "The quickstart is up and needs the rest: make quickstart-down, then make clean"
	exit
fi

chmod -R u+w .build 2>/dev/null || true
rm -rf .build bin
