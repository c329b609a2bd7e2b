MAKEFLAGS += --no-print-directory --warn-undefined-variables
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

# Node 24 from npm, whatever the machine's own is.
NODE := node_modules/.bin/node
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# For mocha: make unit ARGS='--grep pool'
ARGS ?=
URL ?=
# What the demo shows: announce (when empty), aws, haproxy or bigip.
PROVIDER ?=
# A file of test/bench that exports nothing is a benchmark; what exports is there for them.
BENCHES ?= $(shell grep -sL '^export' test/bench/*.ts)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z][a-z0-9-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ See it work

.PHONY: demo
demo: ## Show Fairlead at work on three nodes in network namespaces (PROVIDER=aws, haproxy, bigip; DEMO=once exits by itself)
	@scripts/bootstrap node tools go $(if $(filter haproxy,$(PROVIDER)),edge) $(filter aws,$(PROVIDER))
	@$(NODE) test/controlplane/build.ts >/dev/null
	@exec $(NODE) test/lab/demo.ts

.PHONY: demo-down
demo-down: ## End the cluster that the demo left running
	@scripts/bootstrap node
	@exec $(NODE) test/lab/demo-down.ts

##@ Test

.PHONY: test
test: ## Every suite; ends with the line "N passed, N failed"
	@scripts/bootstrap
	@exec $(NODE) scripts/test.ts

.PHONY: check unit golden
check unit golden:
	@scripts/bootstrap node
	@exec $(NODE) scripts/test.ts $@ -- $(ARGS)
check: ## Types, format and lint, generated files, texts
unit: ## Pure stages, no I/O
golden: ## Inputs and the texts that they must give

.PHONY: golden-update
golden-update: ## Write the expected texts anew (look at the difference before committing)
	@scripts/bootstrap node
	@UPDATE_GOLDEN=1 $(NODE) scripts/test.ts golden -- $(ARGS)

.PHONY: api net chaos e2e
api net chaos e2e:
	@scripts/bootstrap
	@exec $(NODE) scripts/test.ts $@ -- $(ARGS)
api: ## Against a real API server
net: ## Against the real kernel, in namespaces
chaos: ## Killed and cut off at any moment
e2e: ## The whole product in the lab cluster

.PHONY: conformance
conformance: ## What a service proxy must do, of the agent, or of real kube-proxy (PROXY=kube-proxy)
	@scripts/bootstrap
	@if [ "$${PROXY:-}" = kube-proxy ]; then $(NODE) test/controlplane/build.ts kube-proxy >/dev/null; fi
	@exec $(NODE) scripts/test.ts net -- --grep '^conformance' $(ARGS)

.PHONY: conformance-docs
conformance-docs: ## Write the lists of docs/conformance.md from the table of cases
	@scripts/bootstrap node
	@$(NODE) test/net/conformance/write-docs.ts

.PHONY: coverage
coverage: ## What unit, golden and api tests reach, as text and coverage/index.html
	@scripts/bootstrap
	@$(NODE) node_modules/c8/bin/c8.js --all --reporter text --reporter html \
	  --include 'operator/**' --include 'agent/**' --include 'providers/**' --include 'kube/**' --include 'crds/**' \
	  $(NODE) scripts/test.ts unit golden api

.PHONY: webhook-conformance
webhook-conformance: ## Whether a server keeps to the contract of the provider webhook (URL=..., flags in ARGS)
	@scripts/bootstrap node
	@exec $(NODE) cli/fairlead.ts webhook-test $(URL) $(ARGS)

##@ Measure

.PHONY: bench
bench: ## All benchmarks; tables go to bench/results/ too
	@scripts/bootstrap
	@scripts/bootstrap bench
	@$(NODE) test/controlplane/build.ts >/dev/null
	@$(NODE) test/controlplane/build.ts kube-proxy >/dev/null
	@status=0; for bench in $(BENCHES); do \
	  scripts/in-namespaces $(NODE) "$$bench" || status=1; \
	done; $(NODE) test/bench/support/write-docs.ts; exit $$status

##@ Work on it

.PHONY: crds
crds: ## Generate config/crd from crds/*.ts, and the schema of the webhook's contract
	@scripts/bootstrap node
	@$(NODE) crds/generate.ts
	@$(NODE) providers/webhook/docs/write-schemas.ts

.PHONY: pictures
pictures: ## Draw the terminal pictures of the README from a run of the demo
	@scripts/draw-pictures

.PHONY: format
format: ## Format and fix what can be fixed by itself
	@scripts/bootstrap node
	@node_modules/.bin/biome check --write .

.PHONY: control-plane
control-plane: ## Build etcd, kube-apiserver and the like now (once, into the user's cache)
	@scripts/bootstrap node go
	@$(NODE) test/controlplane/build.ts

.PHONY: clean
clean: ## Remove what was made here, a demo that runs too: node_modules, coverage (the control plane stays in the user's cache)
	@if [ -e .demo ] && [ -x $(NODE) ]; then $(NODE) test/lab/demo-down.ts; fi
	rm -rf node_modules coverage .demo
