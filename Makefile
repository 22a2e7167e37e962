# All that is done with this repository. Needs Go, git, bash, awk, tar and coreutils, and Node to deploy; the linter is built
# here when it is missing.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

LINTER_VERSION := v2.8.0
LINTER := .tools/golangci-lint-$(LINTER_VERSION)/golangci-lint

ARCHES := arm64 amd64

# What a deployment may choose, and the key of the CDK's context that it becomes: docs/deploy.md explains each. Only what stands
# on make's command line is handed on, so that an EMAIL of the environment is never meant.
CHOICES := POLICY:policy EMAIL:email ORGANIZATION:organization ORGANIZATIONAL_UNITS:organizationalUnits MANAGEMENT_ACCOUNT:managementAccount \
	UPDATES:updates PASS_ROLES:passRoles ACCESS_ENTRIES:accessEntries FUNCTION_SUBNETS:functionSubnets FUNCTION_SECURITY_GROUPS:functionSecurityGroups \
	EXTERNAL_ID:externalId URGENT_CONCURRENCY:urgentConcurrency BULK_CONCURRENCY:bulkConcurrency LOG_DAYS:logDays LOG_LEVEL:logLevel ZIP:zip ACCOUNT:account REGION:region
variable = $(word 1,$(subst :, ,$(1)))
key = $(word 2,$(subst :, ,$(1)))
given = $(if $(filter command,$(origin $(1))),$(value $(1)))
quote = '$(subst ','\'',$(1))'
CONTEXT = $(foreach c,$(CHOICES),$(if $(call given,$(call variable,$(c))),-c $(call quote,$(call key,$(c))=$(call given,$(call variable,$(c))))))
ALLOWED := $(foreach c,$(CHOICES),$(call variable,$(c)))
UNKNOWN = $(sort $(foreach v,$(filter-out $(ALLOWED) CI,$(.VARIABLES)),$(if $(filter command,$(origin $(v))),$(call quote,$(v)))))
RELEASE = $(if $(call given,ZIP),,dist/remediator-arm64.zip)

FUZZTIME ?= 30s
LAWS_WORLDS ?= 10000
LAWS_SDK ?= 300

##@ Use

.PHONY: help
help: ## Show this.
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: command ## Play the demo: three days of eight simulated clusters, told as a story. No AWS account needed.
	@bin/cniguard demo

.PHONY: command
command: ## Build the command, bin/cniguard.
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/cniguard ./cmd/cniguard

.PHONY: build
build: $(ARCHES:%=dist/remediator-%.zip) ## Build the Lambda's zips, dist/remediator-ARCH.zip.

##@ Deploy (docs/deploy.md)

.PHONY: synth
synth: choices $(RELEASE) ## Write the templates to cdk.out: POLICY=policy.yaml EMAIL=oncall@example.com [ACCOUNT= REGION=] …
	$(call cdk,synth --quiet)

.PHONY: diff
diff: choices $(RELEASE) ## Show what deploying the same would change.
	$(call cdk,diff)

.PHONY: deploy
deploy: choices $(RELEASE) ## Deploy it all: POLICY=policy.yaml EMAIL=oncall@example.com …
	$(call cdk,deploy --all)

.PHONY: destroy
destroy: choices $(RELEASE) ## Delete what was deployed with the same.
	$(call cdk,destroy --all)

##@ Change

# The modules that hold what `cniguard fix` prints against the tools that it is printed for, whose modules are theirs alone (ADR 0013).
CHECKS := tests/fix tests/fix/cluster tests/fix/pulumi tests/fix/pulumi/yaml

# What `make e2e` needs besides Go and Node. `make test` fetches it in CI only, where nothing is skipped.
E2E_TOOLS := .venv .tools/dynamodb .tools/kubernetes .tools/pulumi

.PHONY: test
test: $(if $(filter true,$(CI)),$(E2E_TOOLS)) ## Run all tests, with the race detector, in random order.
	go test -race -shuffle=on -timeout=40m ./...
	for module in $(CHECKS); do go -C $$module test -race -shuffle=on -timeout=20m ./...; done
	@for tool in $(E2E_TOOLS); do test -e $$tool || echo "skipped: the tests have no $$tool; make e2e runs those that need it"; done

.PHONY: e2e
e2e: $(E2E_TOOLS) ## Deploy the templates onto an AWS emulator, send events through, and run what fix prints. Needs Node, Python, a JDK and Maven.
	CI=true go test -count=1 -timeout=10m ./tests/emulator ./tests/remedy
	for module in $(CHECKS); do CI=true go -C $$module test -count=1 -timeout=20m ./...; done

.PHONY: laws
laws: ## Hold the laws in LAWS_WORLDS random worlds, in LAWS_SDK through the SDK, and in large fleets. Without the race detector (ADR 0006).
	LAWS_WORLDS=$(LAWS_WORLDS) LAWS_SDK=$(LAWS_SDK) go test -count=1 -timeout=60m ./tests/laws
	go test -count=1 -timeout=20m -run 'OfTwoHundredClusters|TwoThousandClusters|ThousandsOfClusters' ./tests/answers

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME.
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/^\(.*\)\/[^/]*:func /\1 /' | while read -r package target; do \
		echo "$$package $$target"; \
		go -C "$$package" test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) . </dev/null; \
	done

.PHONY: bench
bench: ## Run all benchmarks.
	go test -run='^$$' -bench=. -benchmem ./...

.PHONY: golden
golden: ## Write the golden files anew. Read their diff before committing it.
	@grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -n1 dirname | sort -u | while read -r package; do \
		echo "$$package"; \
		go -C "$$package" test -count=1 . -update </dev/null; \
	done

.PHONY: fmt
fmt: $(LINTER) ## Format all Go files.
	$(LINTER) fmt

##@ Check

.PHONY: lint
lint: $(LINTER) ## Lint: vet, format and the linters of .golangci.yml.
	$(LINTER) run
	for module in $(CHECKS); do (cd $$module && $(CURDIR)/$(LINTER) run); done

.PHONY: size
size: build ## Measure the Lambda's zip, binary and start, against their bounds.
	go run ./tests/size dist

.PHONY: reproducible
reproducible: build ## Build the zips once more from a copy in another folder: same bytes.
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	tar -cf - --exclude=./.git --exclude=./.tools --exclude=./.venv --exclude=./node_modules --exclude=./cdk.out --exclude=./bin --exclude=./dist . | tar -xf - -C "$$copy"; \
	$(MAKE) -s -C "$$copy" build; \
	for arch in $(ARCHES); do cmp "dist/remediator-$$arch.zip" "$$copy/dist/remediator-$$arch.zip"; done; \
	echo 'reproducible: both builds have the same bytes'

.PHONY: modules
modules: ## Check that each go.mod is tidy and the modules are those of its go.sum.
	@for module in . $(CHECKS); do echo "$$module"; go -C $$module mod tidy -diff; go -C $$module mod verify; done

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
	rm -rf bin dist cdk.out node_modules .tools .venv

# Tells what is wrong on the command line, before anything is compiled. The app checks the values.
choices: always
	@wrong=0; mistake() { wrong=1; echo "make: $$1" >&2; }; \
	for name in $(UNKNOWN); do mistake "$$name is not known; allowed: $(ALLOWED)"; done; \
	policy=$(call quote,$(call given,POLICY)); email=$(call quote,$(call given,EMAIL)); \
	if [ -z "$$policy" ]; then mistake 'POLICY is missing: give the file with the policy, as POLICY=policy.yaml (docs/policy.md)'; \
	elif [ ! -f "$$policy" ]; then mistake "POLICY=$$policy: there is no such file"; fi; \
	[ -n "$$email" ] || mistake 'EMAIL is missing: give the address of those on call, as EMAIL=oncall@example.com'; \
	for tool in node npm; do command -v $$tool >/dev/null || mistake "$$tool is missing: install Node.js 22 or newer (https://nodejs.org)"; done; \
	exit $$wrong

# Runs the CDK's command, which it installs when it is missing or another version is wanted. What an earlier run wrote goes first, so
# that nothing stale is taken for new.
define cdk
	@test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent --no-audit --no-fund --ignore-scripts
	@rm -rf cdk.out
	@node_modules/.bin/cdk $(1) $(CONTEXT)
endef

# Files

.PHONY: always

# The same bytes from the same source: the flags of the caller's environment stay out, and the instruction sets are Lambda's least.
dist/%/bootstrap: always
	GOFLAGS= CGO_ENABLED=0 GOOS=linux GOARCH=$* GOAMD64=v1 GOARM64=v8.0 go build -tags=lambda.norpc -trimpath -buildvcs=false -ldflags='-s -w' -gcflags=github.com/aws/aws-sdk-go-v2/...=-l -o $@ ./functions/remediator

dist/remediator-%.zip: dist/%/bootstrap
	go run ./internal/tool/zip $@ $<

.PRECIOUS: dist/%/bootstrap

# ministack, cfn-lint and the AWS CLI. What is half done is removed.
.venv: tests/emulator/requirements.txt
	{ python3 -m venv --clear $@ && $@/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $< && $@/bin/pip check; } || { rm -rf $@; exit 1; }

# DynamoDB Local, AWS's own, with all that it needs: the sum is that of the list of all files' sums.
DYNAMODB_SUM := 1bed966b5eb504444fb6bc9a3d35bf415cde726bc89a0a6505570d985ebed5c9
.tools/dynamodb: tests/emulator/dynamodb/pom.xml
	rm -rf $@
	mvn --batch-mode --quiet --strict-checksums --file $< org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory=$(CURDIR)/$@
	@sum=$$(cd $@ && LC_ALL=C sha256sum * | sha256sum); test "$${sum%% *}" = $(DYNAMODB_SUM) || { rm -rf $@; echo "$@ has the sum $$sum, want $(DYNAMODB_SUM)" >&2; exit 1; }

# kubectl, Helm, and what they talk to: the API server of Kubernetes, its controllers, and etcd.
.tools/kubernetes: tests/fix/cluster/go.mod tests/fix/cluster/go.sum
	rm -rf $@
	go -C tests/fix/cluster build -o $(CURDIR)/$@/ tool || { rm -rf $@; exit 1; }

# Pulumi's SDKs for TypeScript, and the compiler.
.tools/pulumi: tests/fix/pulumi/package.json tests/fix/pulumi/package-lock.json
	rm -rf $@ && mkdir -p $@ && cp $^ $@
	npm ci --prefix $@ --silent --no-audit --no-fund --ignore-scripts || { rm -rf $@; exit 1; }

$(LINTER):
	GOBIN=$(CURDIR)/$(@D) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER_VERSION)
