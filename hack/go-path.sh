#!/usr/bin/env bash
# Prints the directories that the Makefile puts in front of PATH: a go command that is new enough, and built tools.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

printf '%s:%s' "$(find_go || true)" "$BUILD/tools"
