# The index of what can be done here. Bare `make` prints it.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

# A go command that is new enough, wherever it is, and tools that were built here.
export PATH := $(shell hack/go-path.sh):$(PATH)

FUZZTIME ?= 30s

##@ First steps

.PHONY: help
help: ## Print this.
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  \033[36m%-17s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

.PHONY: quickstart
quickstart: ## From nothing to a container that answers: engine, server, image, sample. Again: changes nothing.
	@hack/quickstart.sh up

.PHONY: quickstart-down
quickstart-down: ## Remove all that quickstart has made, and nothing else.
	@hack/quickstart.sh down

.PHONY: demo-billing
demo-billing: ## Play prepaid billing on a private engine: pay, run, be warned, be suspended, pay, run. Needs root.
	@hack/demo-billing.sh

.PHONY: setup
setup: ## Install what building and testing need, where it is missing (Debian, Ubuntu).
	@hack/setup.sh

##@ Build

.PHONY: build
build: ## Build bin/dogker.
	@hack/build.sh

.PHONY: generate
generate: ## Make generated files again: deep copies, CRDs.
	@hack/generate.sh

.PHONY: run
run: build ## Run the server in the foreground on .build/run, against the engine of DOCKER_HOST.
	bin/dogker server --data-dir .build/run --listen $${LISTEN:-127.0.0.1:6443} --init-swarm

.PHONY: clean
clean: ## Remove what was built. Go's caches and a running quickstart stay.
	@hack/clean.sh

##@ Test

.PHONY: check
check: ## The gate for every commit: generated files, format, vet, lint, unit tests with the race detector.
	@hack/test.sh check unit

.PHONY: test
test: setup ## Everything, with its own set-up: check, conformance, faults, e2e on private engines.
	@hack/test.sh

.PHONY: unit
unit: ## Unit tests alone.
	@hack/test.sh unit

.PHONY: conformance
conformance: ## Real kubectl and client-go against the real binary, without an engine.
	@hack/test.sh conformance

.PHONY: faults
faults: ## Fail, time out and crash the controller at every call, and demand that it converges and goes quiet.
	@hack/test.sh faults

.PHONY: e2e
e2e: ## The real binary on private swarms of one and three nodes. Needs root.
	@hack/test.sh e2e

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (30s) each.
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## Dogker beside bare calls, stack deploy and a raw etcd, in turns. ARGS="-profile full", ARGS=-list.
	@go run ./test/bench $(ARGS)
