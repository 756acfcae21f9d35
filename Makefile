# The one entrance. Plain `make` lists what there is.
SHELL   := bash
.SHELLFLAGS := -euo pipefail -c

GO      ?= go
ADDR    ?= 127.0.0.1:8080
DATA    ?= data
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
# Whatever is not watched for races is compiled with the same settings as the program, and so once.
PLAIN   := CGO_ENABLED=0 GOFLAGS=-trimpath
BUILD   := $(PLAIN) $(GO) build -ldflags '-s -w -X main.version=$(VERSION)'

# Everything but the tests of the built binary, which run by themselves so that
# nothing else takes the processor while they measure.
PACKAGES = $$($(GO) list ./... | grep -v /e2e)

# What the console is made of: the help is part of it, and so is the API's description.
CONSOLE := $(shell find console docs internal/server/testdata/openapi.json \
	\( -name node_modules -o -path console/dist -o -path console/shots -o -path console/browser \) -prune -o -type f ! -name '*.go' -print 2>/dev/null)

# SQLite is C that was translated to Go: to watch its memory too finds nothing of ours, and
# makes tests four times as slow.
RACE = -race -gcflags=modernc.org/...=-race=false

.PHONY: help
help:
	@echo 'make run     build, then start the demo at http://$(ADDR) (another address: make run ADDR=127.0.0.1:9000)'
	@echo 'make build   leave the program, with the console inside, at bin/claviger'
	@echo 'make console build the web console alone (needs Node 20)'
	@echo 'make test    install what it needs, then everything: lint, unit tests, both databases, end to end'
	@echo 'make unit    the unit tests alone, with the race detector, on both databases'
	@echo 'make e2e     the tests of the built binary alone: nginx, kill -9, two nodes, canary'
	@echo 'make browser the console in Chromium, against the built program'
	@echo 'make screenshots  pictures of every page, wide and narrow, light and dark, in console/shots/'
	@echo 'make accessible   every page and dialogue looked at by axe, light and dark (six minutes)'
	@echo 'make lint    formatting and the linters, go vet's among them'
	@echo 'make bench   one million keys: every figure we promise, as a table (about 15 minutes)'
	@echo 'make soak    the long torture: 1,000 rounds of every race and 200 kills on each database'
	@echo 'make clean   remove bin/ (the demo data in $(DATA)/ stays)'

.PHONY: run
run: build
	@exec bin/claviger demo --addr $(ADDR) --data $(DATA)

.PHONY: build
build: console
	@mkdir -p bin
	@echo 'building bin/claviger $(VERSION)'
	@$(BUILD) -tags console -o bin/claviger ./cmd/claviger

# The console is built anew only when something that it is made of has changed.
.PHONY: console
console: console/dist/.built

console/dist/.built: console/node_modules/.package-lock.json $(CONSOLE)
	@echo 'building the console'
	@cd console && npm run --silent build
	@touch $@

console/node_modules/.package-lock.json: console/package.json console/package-lock.json
	@tools/install-debian nodejs npm
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { echo "the console needs Node 20 or newer; this is $$(node --version)" >&2; exit 1; }
	@echo 'fetching what the console is built with'
	@cd console && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: test
test: lint console-check unit e2e browser

.PHONY: unit
unit:
	@tools/install-debian gcc postgresql
	@echo '== unit tests, race detector, SQLite and PostgreSQL'
	@# Four packages at once: most of what they do is to wait for databases.
	@CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test $(RACE) -p 4 -timeout 40m -skip '^(TestScripts|TestHostileInput)$$' $(PACKAGES) | grep --line-buffered -v 'no test files'
	@echo '== commands as processes, and every route asked once after another, without the race detector'
	@$(PLAIN) $(GO) test -timeout 20m -run '^TestScripts$$' ./cmd/claviger
	@$(PLAIN) CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test -timeout 20m -run '^TestHostileInput$$|^TestAuthorizationMatrix$$/^postgres$$' ./internal/server

.PHONY: e2e
e2e:
	@tools/install-debian postgresql nginx caddy curl jq openssl gettext-base
	@echo '== end to end: the built binary, nginx, SQLite and PostgreSQL'
	@$(PLAIN) CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test -count=1 -timeout 15m ./e2e/...

# What can be known of the console without a browser.
.PHONY: console-check
console-check: console/node_modules/.package-lock.json
	@echo '== console: types, lint, format, logic'
	@cd console && npm run --silent check

# The console in a real browser, against the built program.
.PHONY: browser
browser: build
	@tools/install-debian chromium fonts-liberation postgresql
	@echo '== console in Chromium'
	@cd console && CLAVIGER_TEST_REQUIRE=1 ../e2e/postgres/with-postgres npm run --silent browser

.PHONY: screenshots
screenshots: build
	@tools/install-debian chromium fonts-liberation
	@cd console && npm run --silent screenshots
	@echo 'look at console/shots/'

.PHONY: accessible
accessible: build
	@tools/install-debian chromium fonts-liberation
	@cd console && npm run --silent accessible

.PHONY: lint
lint:
	@echo '== formatting and linters'
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@mkdir -p bin
	@cd tools && $(PLAIN) $(GO) build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@$(PLAIN) bin/golangci-lint run ./...

.PHONY: bench
bench: build
	@tools/install-debian postgresql wrk
	@$(PLAIN) DURABLE=1 e2e/postgres/with-postgres $(GO) run ./bench
	@tools/install-debian chromium fonts-liberation
	@cd console && npm run --silent bench

.PHONY: soak
soak:
	@tools/install-debian gcc postgresql nginx
	@echo '== races, 1,000 rounds of each on both databases'
	@SOAK=1 CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test $(RACE) -count=1 -timeout 2h -v -run TestRaceOf ./internal/authority
	@echo '== two years of expiry notices over 1,000 keys, on both databases, with one node and three'
	@$(PLAIN) SOAK=1 CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test -count=1 -timeout 6h -v -run TestNoticeCalendar ./internal/authority
	@echo '== kills, nodes and databases that go away'
	@$(PLAIN) SOAK=1 CLAVIGER_TEST_REQUIRE=1 e2e/postgres/with-postgres $(GO) test -count=1 -timeout 6h -v -run 'Kill|Nodes|Away' ./e2e/...

.PHONY: clean
clean:
	@rm -rf bin
