# make help lists the targets. Tools go to .tools/ (ignored), nothing is installed elsewhere
# but Debian packages that the interop tests read our archives with, and those only for root.

TOOLS     := $(CURDIR)/.tools
FUZZTIME  ?= 60s
SOAK      ?= 500
SEED      ?= 1
BENCH     ?= .
BENCHTIME ?= 1s
DELAY     ?= 20ms
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# Versions are part of the stamp's name, so a new one here is installed at the next make.
REGISTRY    := github.com/distribution/distribution/v3/cmd/registry@v3.1.2
ORAS        := oras.land/oras/cmd/oras@v1.3.6
CRANE       := github.com/google/go-containerregistry/cmd/crane@v0.22.1
REGCTL      := github.com/regclient/regclient/cmd/regctl@v0.11.7
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

stamp = $(TOOLS)/$(notdir $(1)).installed

.DEFAULT_GOAL := build
.PHONY: build test lint bench compare fuzz soak demo screens man release release-check tools packages clean help

build: ## build ./oras-mirror
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o oras-mirror .

# "go test ./..." shows nothing of what passes, so that what was skipped goes into files.
test: tools packages ## run all tests with the race detector, those against real registries too
	@mkdir -p $(TOOLS)/skips
	SKIPPED=$(TOOLS)/skips go test -race -timeout 30m ./...
	@cat $(TOOLS)/skips/*

lint: $(call stamp,$(STATICCHECK)) ## gofmt, go vet for three systems, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...
	$(TOOLS)/staticcheck ./...

bench: ## run the benchmarks; BENCH=regexp, BENCHTIME=1s, DELAY=20ms a request where latency counts
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem $$(go list ./... | grep -v '/engine$$')
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 1h ./engine -delay $(DELAY)

compare: $(call stamp,$(ORAS)) ## compare with oras, skopeo and a bare downloader, and write docs/benchmarks.md; half an hour
	go test ./e2e -count 1 -timeout 3h -v -run '^TestCompare$$' -compare

fuzz: ## run each fuzz target for FUZZTIME (60s)
	@set -e; for package in $$(go list ./...); do \
		listed=$$(go test -list '^Fuzz' $$package); \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "fuzz $$package $$target $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

soak: ## make SOAK (500) backups and restores under random faults from SEED (1) on; ten minutes
	go test -race -timeout 2h -run '^TestSoak$$' ./engine -soak $(SOAK) -soak.seed $(SEED)

demo: build $(call stamp,$(ORAS)) ## back up one registry and restore it into another, on loopback
	@CGO_ENABLED=0 go build -o $(TOOLS)/demo-registry ./demo/registry
	@bash demo/demo.sh

screens: build $(call stamp,$(REGISTRY)) ## take docs/screens/ again, in a tmux of 80 columns
	bash demo/screens.sh

man: build ## print the man page into ./oras-mirror.1
	./oras-mirror man >oras-mirror.1

# The time of the files is that of the commit, so that anybody gets these bytes again.
COMMITTED := $(shell git log -1 --format=%ct 2>/dev/null)
RELEASE    = go run ./internal/release -version "$(VERSION)" -time "$(or $(COMMITTED),0)"

release: ## build archives, SBOMs and SHA256SUMS for six platforms into dist/
	$(RELEASE) -output dist

release-check: release ## build them once more, elsewhere, and compare
	again=$$(mktemp -d) && trap 'rm -rf "$$again"' EXIT && $(RELEASE) -output "$$again/dist" && diff -r dist "$$again/dist"

tools: $(foreach tool,$(REGISTRY) $(ORAS) $(CRANE) $(REGCTL) $(STATICCHECK),$(call stamp,$(tool))) ## install the tools that tests and lint use into .tools/

# $(1): package@version. go install keeps to the version's own go.mod, not to ours.
define install
$(call stamp,$(1)):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install $(1)
	@rm -f $(TOOLS)/$(firstword $(subst @, ,$(notdir $(1))))@*.installed
	@touch $$@
endef
$(foreach tool,$(REGISTRY) $(ORAS) $(CRANE) $(REGCTL) $(STATICCHECK),$(eval $(call install,$(tool))))

# program:package, each of which a test runs if it is there: readers of our archives and
# layouts, shells that complete our command lines, and the terminal that screens are taken in.
PROGRAMS := bsdtar:libarchive-tools busybox:busybox pigz:pigz python3:python3 skopeo:skopeo containerd:containerd fish:fish zsh:zsh tmux:tmux

packages: ## install Debian packages that tests use, if root and if they are missing
	@missing=""; for program in $(PROGRAMS); do \
		command -v "$${program%%:*}" >/dev/null || missing="$$missing $${program#*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
		echo "not installed, so their tests are skipped:$$missing"; exit 0; \
	fi; \
	echo "apt-get install$$missing"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

clean: ## remove what was built, and .tools/
	rm -rf oras-mirror oras-mirror.exe oras-mirror.1 dist $(TOOLS) demo/work

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
