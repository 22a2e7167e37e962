# All that is done with this repository. Needs Go, git, bash, awk, tar and coreutils; the linter is built here when it is missing.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

LINTER_VERSION := v2.8.0
LINTER := .tools/golangci-lint-$(LINTER_VERSION)/golangci-lint

ARCHES := arm64 amd64
# A compiled policy, which the Lambda's zip then holds beside the program. Its file name must be policy.json.
POLICY ?=

FUZZTIME ?= 30s
LAWS_WORLDS ?= 10000
LAWS_SDK ?= 300

##@ Use

.PHONY: help
help: ## Show this.
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: command ## Play the demo: three days of eight simulated clusters, told as a story. No AWS account needed.
	@bin/cniguard demo

.PHONY: command
command: ## Build the command, bin/cniguard.
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/cniguard ./cmd/cniguard

.PHONY: build
build: $(ARCHES:%=dist/remediator-%.zip) ## Build the Lambda's zips, dist/remediator-ARCH.zip. POLICY=policy.json puts that in.

##@ Change

.PHONY: test
test: ## Run all tests, with the race detector, in random order.
	go test -race -shuffle=on -timeout=40m ./...

.PHONY: laws
laws: ## Hold the laws in LAWS_WORLDS random worlds, and in LAWS_SDK through the SDK. Without the race detector (ADR 0006).
	LAWS_WORLDS=$(LAWS_WORLDS) LAWS_SDK=$(LAWS_SDK) go test -count=1 -timeout=60m ./tests/laws

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME.
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/^\(.*\)\/[^/]*:func /\1 /' | while read -r package target; do \
		echo "$$package $$target"; \
		go test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$package" </dev/null; \
	done

.PHONY: bench
bench: ## Run all benchmarks.
	go test -run='^$$' -bench=. -benchmem ./...

.PHONY: golden
golden: ## Write the golden files anew. Read their diff before committing it.
	go test -count=1 $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -n1 dirname | sort -u) -update

.PHONY: fmt
fmt: $(LINTER) ## Format all Go files.
	$(LINTER) fmt

##@ Check

.PHONY: lint
lint: $(LINTER) ## Lint: vet, format and the linters of .golangci.yml.
	$(LINTER) run

.PHONY: size
size: build ## Measure the Lambda's zip, binary and start, against their bounds.
	go run ./tests/size dist

.PHONY: reproducible
reproducible: build ## Build the zips once more from a copy in another folder: same bytes.
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	tar -cf - --exclude=./.git --exclude=./.tools --exclude=./.venv --exclude=./bin --exclude=./dist . | tar -xf - -C "$$copy"; \
	$(MAKE) -s -C "$$copy" build POLICY=$(abspath $(POLICY)); \
	for arch in $(ARCHES); do cmp "dist/remediator-$$arch.zip" "$$copy/dist/remediator-$$arch.zip"; done; \
	echo 'reproducible: both builds have the same bytes'

.PHONY: modules
modules: ## Check that go.mod is tidy and the modules are those of go.sum.
	go mod tidy -diff
	go mod verify

.PHONY: small
small: ## Check that no tracked file is larger than 1 MB.
	@git ls-files -z | xargs -0 wc -c | awk '$$2 != "total" && $$1 > 1000000 { print "larger than 1 MB: " $$2; large = 1 } END { exit large }'

.PHONY: replay
replay: command ## Check that the demo runs without any environment, within 10 s, and says the same twice.
	@first=$$(mktemp); second=$$(mktemp); trap 'rm -f "$$first" "$$second"' EXIT; \
	env -i timeout 10 bin/cniguard demo >"$$first"; \
	env -i timeout 10 bin/cniguard demo >"$$second"; \
	cmp "$$first" "$$second"; test -s "$$first"; \
	echo 'replay: the demo says the same twice'

.PHONY: verify
verify: small modules lint size reproducible replay laws ## Everything that CI checks besides the tests.
	@echo 'verify: clean'

.PHONY: clean
clean: ## Remove what was built here.
	rm -rf bin dist .tools

# Files

.PHONY: always

# The same bytes from the same source: the flags of the caller's environment stay out, and the instruction sets are Lambda's least.
dist/%/bootstrap: always
	GOFLAGS= CGO_ENABLED=0 GOOS=linux GOARCH=$* GOAMD64=v1 GOARM64=v8.0 go build -tags=lambda.norpc -trimpath -buildvcs=false -ldflags='-s -w' -o $@ ./functions/remediator

dist/remediator-%.zip: dist/%/bootstrap
	go run ./internal/tool/zip $@ $< $(POLICY)

.PRECIOUS: dist/%/bootstrap

$(LINTER):
	GOBIN=$(CURDIR)/$(@D) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER_VERSION)
