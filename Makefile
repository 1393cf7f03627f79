# Everything a contributor or the build machine runs. `make help` prints the list.
#
# Tools are Go programs pinned in tools/go.mod and built on first use; nothing is installed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

tool := go tool -modfile=tools/go.mod
modules := $(shell sed 's/\#.*//' allmodules)
build := .build

# Hand-written packages that users import: what coverage is counted over.
covered = $$(go list ./... | grep -v -e /examples/ -e /internal/mutate -e /proto/ | paste -sd, -)

# each runs a command in the folder of every module.
define each
for module in $(modules); do echo "# module $$module"; (cd "$$module" && $(1)); done
endef

.PHONY: help
help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-15s %s\n", $$1, $$2}' Makefile

.PHONY: all
all: test race lint checkgenerate checktidy examples checkcover mutate ## Run every check that .ci/run runs.

.PHONY: test
test: ## Run the tests of every module.
	@$(call each,go test ./...)

.PHONY: race
race: ## Run the tests of every module under the race detector.
	@$(call each,go test -race ./...)

.PHONY: lint
lint: googleapis ## Lint Go code and protos, and check their formatting.
	@linter="$$($(tool) -n golangci-lint)"; $(call each,"$$linter" run --config "$(CURDIR)/.golangci.yml" ./...)
	$(tool) buf lint
	$(tool) buf format --diff --exit-code proto

# The files are generated into $(build) first, so that a failure leaves the old ones in place, and a file whose .proto is
# gone goes as well.
.PHONY: generate
generate: googleapis ## Generate the Go code beside every .proto.
	@rm -rf $(build)/generated
	$(tool) buf generate
	@find proto -name '*.pb.go' -delete -o -name '*.pb.gw.go' -delete
	@cp -R $(build)/generated/. proto/

# The google/api protos that ours import. They are written anew each time because they belong to the pinned genproto
# version, not to a file that make could compare.
.PHONY: googleapis
googleapis:
	@rm -rf $(build)/googleapis
	@cd tools && go run ./googleapis "$(CURDIR)/$(build)/googleapis"

# Untracked files count, so that a new .proto cannot be committed without its code.
.PHONY: checkgenerate
checkgenerate: generate ## Fail when the committed generated code is not what generate makes.
	@git --no-pager diff -- 'proto/*.go'
	@drift="$$(git status --porcelain -- 'proto/*.go')"; \
	if [[ -n "$$drift" ]]; then \
		printf 'generated code differs from the commit; run "make generate" and commit:\n%s\n' "$$drift" >&2; exit 1; \
	fi

.PHONY: tidy
tidy: ## Tidy go.mod and go.sum of every module.
	@$(call each,go mod tidy)

.PHONY: checktidy
checktidy: ## Fail when go.mod or go.sum of a module is not tidy.
	@$(call each,go mod tidy -diff)

.PHONY: examples
examples: ## Build every example and run the tours.
	@mkdir -p $(build)/examples
	go build -o $(build)/examples/ ./examples/...
	go run ./examples/quickstart -once -grpc localhost:0 -http localhost:0
	go run ./examples/secure -once -grpc localhost:0 -http localhost:0 -issuer localhost:0
	cd examples/observe && go run . -once -grpc localhost:0 -http localhost:0

.PHONY: otelreport
otelreport: ## Write docs/otel-differences.md: what otelgrpc and otelhttp report of the same calls, and why it differs.
	@mkdir -p docs
	cd examples/observe && go run ./otelreport -out $(CURDIR)/docs/otel-differences.md

.PHONY: pictures
pictures: ## Draw docs/traces.svg: the spans and log records that examples/observe has of a REST and a gRPC call.
	cd examples/observe && go run . -picture $(CURDIR)/docs/traces.svg -grpc localhost:0 -http localhost:0

ONLY ?=
MUTANTS ?= 1/1
.PHONY: mutate
mutate: ## Break each rule of the contract on purpose and fail when no test notices (ONLY=regexp MUTANTS=1/4 for some).
	go run ./internal/mutate -only "$(ONLY)" -part $(MUTANTS)

# Every round runs everything once, so that what disturbs the machine for a while disturbs all contenders. Ten rounds are
# the fewest from which benchstat tells a difference from noise. No round begins later than BENCHLIMIT seconds after the
# first one. A quick look: make bench COUNT=2 TIME=20ms TAIL='-pairs 2 -duration 500ms'.
BENCH ?= .
COUNT ?= 10
TIME ?= 400ms
BENCHLIMIT ?= 780
SHORTROUNDS ?= 60
TAIL ?= -pairs 10 -duration 2s
IDLE ?= -streams 10000
results := benchmarks/results
.PHONY: bench
bench: ## Compare with the alternatives and write benchmarks/RESULTS.md (COUNT=10 TIME=400ms BENCH=regexp).
	@mkdir -p $(build)/bench $(results)
	cd benchmarks && go test -c -o ../$(build)/bench/bench.test . && go build -o ../$(build)/bench/ ./cmd/...
	@commit=$$(git describe --always --dirty); { date -u '+%Y-%m-%d %H:%M UTC'; grep -m1 'model name' /proc/cpuinfo || sysctl -n machdep.cpu.brand_string || uname -m; \
		echo "CPUs: $$(getconf _NPROCESSORS_ONLN)"; echo "commit: $$commit"; \
		echo "each benchmark: $(TIME)"; echo "load before: $$(uptime | sed 's/.*average[s]*: //')"; } >$(results)/machine.txt
	@: >$(results)/raw.txt; SECONDS=0; for ((round = 1; round <= $(COUNT); round++)); do \
		if ((SECONDS > $(BENCHLIMIT))); then echo "# stopped after $$((round - 1)) rounds: BENCHLIMIT=$(BENCHLIMIT)"; break; fi; \
		echo "# round $$round of $(COUNT), $${SECONDS}s"; \
		$(build)/bench/bench.test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.benchtime $(TIME) -test.timeout 10m >>$(results)/raw.txt; \
	done
	@# What a further hook costs is nanoseconds: many short rounds even out what a machine does meanwhile.
	@if [[ Hooks =~ $(BENCH) ]]; then for ((round = 1; round <= $(SHORTROUNDS); round++)); do \
		$(build)/bench/bench.test -test.run '^$$' -test.bench Hooks -test.benchmem -test.benchtime 5ms >>$(results)/raw.txt; \
	done; fi
	timeout 5m $(build)/bench/idle $(IDLE) >$(results)/idle.txt
	timeout 5m $(build)/bench/tail $(TAIL) >$(results)/tail.txt
	@echo "load after: $$(uptime | sed 's/.*average[s]*: //')" >>$(results)/machine.txt
	$(tool) benchstat $(results)/raw.txt >$(results)/benchstat.txt
	cd benchmarks && ../$(build)/bench/report

# To compare, set OLD to an earlier file.
NEW ?= $(build)/bench/$(shell git describe --always --dirty 2>/dev/null).txt
OLD ?=
.PHONY: benchown
benchown: ## Run the benchmarks that stand beside the code, of the library alone (BENCH=regexp COUNT=10 OLD=file to compare).
	@mkdir -p $(build)/bench
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./... | tee $(NEW)
	$(tool) benchstat $(OLD) $(NEW)

# The Go command fuzzes one function of one package at a time.
FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## Fuzz every fuzz test for a while (FUZZTIME=20s).
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u | while read -r dir; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$dir"/*_test.go | while read -r name; do \
			echo "# $$dir $$name"; \
			(cd "$$dir" && go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) .); \
		done; \
	done

# With SOAKFLAGS=-race it is ten times slower; 100000 calls are enough then.
SOAKCALLS ?= 1000000
SOAKTIME ?= 15m
SOAKFLAGS ?=
.PHONY: soak
soak: ## Make very many calls of every sort and prove that none was lost (SOAKCALLS=1000000 SOAKTIME=15m SOAKFLAGS=-race).
	go run $(SOAKFLAGS) ./internal/soak -calls $(SOAKCALLS) -duration $(SOAKTIME)

CASES ?= 10000000
SEED ?= 1
.PHONY: property
property: ## Compare very many access decisions with those of a model, and print what they were (CASES=10000000 SEED=1).
	go test -count=1 -timeout 60m -v -run 'TestProperty|TestPlantedBugs' ./internal/decision -cases=$(CASES) -seed=$(SEED)

.PHONY: cover
cover: ## Measure how much of the library its tests reach, over all packages together.
	@mkdir -p $(build)/cover
	go test -coverpkg="$(covered)" -coverprofile=$(build)/cover/cover.out ./...
	go tool cover -html=$(build)/cover/cover.out -o $(build)/cover/cover.html
	@go tool cover -func=$(build)/cover/cover.out | tail -n 1

# The packages that stand between a client and a handler, and how much of each the tests must reach, in percent.
watched := interceptor grpcadapter httpadapter httpadapter/gateway
LEAST ?= 90
.PHONY: checkcover
checkcover: ## Fail when its own tests reach too little of the core or of an adapter (LEAST=90 percent).
	@mkdir -p $(build)/cover
	go test -coverpkg="$$(printf ',./%s' $(watched) | cut -c2-)" -coverprofile=$(build)/cover/watched.out $(watched:%=./%/...)
	@awk -v watched='$(watched)' -v least=$(LEAST) -v module="$$(go list -m)/" ' \
		FNR > 1 { \
			place = package = $$1; sub(/\/[^\/]*$$/, "", package); sub(module, "", package); \
			if (!(place in seen)) { seen[place]; all[package] += $$2 } \
			if ($$3 > 0 && !(place in hit)) { hit[place]; reached[package] += $$2 } \
		} \
		END { \
			for (i = 1; i <= split(watched, list, " "); i++) { \
				p = list[i]; percent = all[p] ? 100 * reached[p] / all[p] : 0; \
				printf "%-20s %5.1f %%\n", p, percent; \
				if (percent < least) { bad = bad " " p } \
			} \
			if (bad) { printf "less than %s %% of%s is reached by a test; make cover shows which lines are not\n", least, bad; exit 1 } \
		}' $(build)/cover/watched.out
