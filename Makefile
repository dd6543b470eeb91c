# Muster. `make help` lists what can be asked for; everything installs what it needs first.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
export CGO_ENABLED := 0

GO_FILES := $(shell git ls-files -co --exclude-standard '*.go' '*.sql' go.mod go.sum 2>/dev/null)
WEB_FILES := $(shell git ls-files -co --exclude-standard web 2>/dev/null)
TOOL := go tool -modfile=tools.mod
PLATFORM := $(shell go env GOOS)-$(subst amd64,x64,$(shell go env GOARCH))$(if $(filter linux,$(shell go env GOOS)),-gnu)
ENGINE := engine/node_modules/@chdb/lib-$(PLATFORM)/libchdb.so

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Start Muster on http://127.0.0.1:8080 with a small demo project; Ctrl-C stops it
	bin/muster serve --data-dir data --demo

.PHONY: build
build: bin/muster engine ## Build bin/muster, with the dashboard in it, and fetch the embedded ClickHouse

bin/muster: $(GO_FILES) web/dist/index.html
	go build -trimpath -o $@ ./cmd/muster

.PHONY: engine
engine: $(ENGINE) ## Fetch the embedded ClickHouse (npm package, pinned by engine/package-lock.json)

$(ENGINE): engine/package-lock.json
	cd engine && npm ci --no-audit --no-fund
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

web/dist/index.html: $(WEB_FILES) web/node_modules/.package-lock.json
	cd web && npm run build

e2e/clients/node_modules/.package-lock.json: e2e/clients/package-lock.json
	cd e2e/clients && npm ci --no-audit --no-fund
	@touch $@

.PHONY: chromium
chromium: ## Install Chromium through the system's package manager, for the browser test
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		echo "installing chromium for the browser test"; \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

.PHONY: test
test: build chromium web/node_modules/.package-lock.json e2e/clients/node_modules/.package-lock.json ## Prove it: every test, with the real ClickHouse, real clients and a real browser
	cd web && npm test
	go test -p 2 -timeout 10m ./...
	cd e2e && CGO_ENABLED=1 go test -timeout 10m ./...

.PHONY: test-long
test-long: engine ## Prove the segment language at length: 20,000 definitions of generated projects, live segments, and the fuzz tests (half an hour)
	RAPID_CHECKS=$(LONG_CHECKS) RAPID_SEED=$(LONG_SEED) RAPID_SHRINKTIME=2m \
		go test -count=1 -v -timeout 3h -run TestTheEvaluatorAgreesWithTheOracle ./queries
	go test -count=1 -timeout 3h -run TestTicksAgreeWithAnEvaluationOfEverything ./segments -live-seeds $(LONG_SEEDS)
	for fuzz in $$(grep -ho 'func Fuzz[A-Za-z]*' queries/*_test.go | cut -c6-); do \
		go test -run '^$$' -fuzz "^$$fuzz$$" -fuzztime $(FUZZ_TIME) -fuzzminimizetime 10x ./queries || exit 1; done

# How long make test-long is. A seed of 0 is another one each time; a failure prints the one it had.
LONG_CHECKS := 400
LONG_SEED := 0
FUZZ_TIME := 60s
LONG_SEEDS := 30

.PHONY: crash
crash: build ## Kill the service and its engine fifty times each under load, and count (a quarter of an hour)
	cd e2e && CGO_ENABLED=1 go test -count=1 -timeout 40m -run TestKilled -v -args -service-crashes 50 -engine-crashes 50

SOAK := 3m
.PHONY: soak
soak: build ## Steady load for SOAK=3m with ClickHouse stopped in the middle: memory flat, lag back to seconds, nothing lost
	cd e2e && CGO_ENABLED=1 go test -count=1 -timeout 0 -tags soak -run TestSoak -v -args -soak $(SOAK)

.PHONY: lint
lint: web/dist/index.html ## Check formatting, layers and style
	@unformatted=$$($(TOOL) gofumpt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofumpt-formatted (run make format):"; echo "$$unformatted"; exit 1; fi
	$(TOOL) golangci-lint run ./...
	cd web && npm run lint

.PHONY: format
format: ## Format Go and web sources
	$(TOOL) gofumpt -w $$(git ls-files -co --exclude-standard '*.go')
	cd web && npm run format

.PHONY: bench
bench: build ## Measure Muster against the bare minimum, as ratios (2M users, 30M events; the data is kept in bench-data)
	bin/muster bench --data-dir bench-data

.PHONY: clean
clean: ## Remove what was built; data and bench-data stay
	rm -rf bin web/dist/assets web/dist/index.html web/dist/snippet.js
