# make help lists the targets. Tools are installed into .tools/ (ignored). Only root also gets
# Debian packages, which the interop tests use to read our archives.

TOOLS     := $(CURDIR)/.tools
FUZZTIME  ?= 60s
SOAK      ?= 500
SEED      ?= 1
BENCH     ?= .
BENCHTIME ?= 1s
DELAY     ?= 20ms
WORKS     ?= .*
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# The name of a stamp contains the version, so the next make installs a new version.
REGISTRY    := github.com/distribution/distribution/v3/cmd/registry@v3.1.2
ORAS        := oras.land/oras/cmd/oras@v1.3.6
CRANE       := github.com/google/go-containerregistry/cmd/crane@v0.22.1
REGCTL      := github.com/regclient/regclient/cmd/regctl@v0.11.7
VERSITYGW   := github.com/versity/versitygw/cmd/versitygw@v1.8.0
HELM        := helm.sh/helm/v4/cmd/helm@v4.3.1
NFPM        := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
COSIGN      := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.1
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

stamp = $(TOOLS)/$(notdir $(1)).installed

.DEFAULT_GOAL := build
.PHONY: build test lint bench compare fuzz soak demo demo-registry demo-bucket session screens man install uninstall image release release-check tools packages clean help

build: ## build ./oras-mirror
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o oras-mirror .

# "go test ./..." prints nothing for a package that passes, so skipped tests are listed in files.
# lint runs go vet. Linking without symbols for a debugger is faster, and one package more than
# there are processors fills the time in which tests wait.
test: tools packages ## run all tests with the race detector, also those against real registries
	@mkdir -p $(TOOLS)/skips
	SKIPPED=$(TOOLS)/skips go test -race -vet=off -ldflags "-s -w" -p $$(($$(getconf _NPROCESSORS_ONLN) + 1)) -timeout 30m ./...
	@cat $(TOOLS)/skips/*

lint: $(call stamp,$(STATICCHECK)) ## gofmt, go vet for three systems, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w these:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...
	$(TOOLS)/staticcheck ./...

bench: ## run the benchmarks; BENCH=regexp, BENCHTIME=1s, DELAY=20ms per request
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem $$(go list ./... | grep -v '/engine$$')
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 1h ./engine -delay $(DELAY)

compare: $(foreach tool,$(REGISTRY) $(ORAS) $(CRANE) $(REGCTL) $(VERSITYGW),$(call stamp,$(tool))) ## compare with other tools and bare programs and rewrite docs/benchmarks.md (half an hour); WORKS=regexp
	go test ./e2e -count 1 -timeout 3h -v -run '^TestCompare$$/^($(WORKS))$$' -compare

fuzz: ## run every fuzz target for FUZZTIME (60s)
	@set -e; for package in $$(go list ./...); do \
		listed=$$(go test -list '^Fuzz' $$package); \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "fuzz $$package $$target $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

soak: ## run SOAK (500) backups and restores under random faults, starting at SEED (1) (ten minutes)
	go test -race -timeout 2h -run '^TestSoak$$' ./engine -soak $(SOAK) -soak.seed $(SEED)

demo: build demo-registry $(call stamp,$(ORAS)) ## back up one registry and restore it into another, on loopback
	@bash demo/demo.sh

demo-registry: ## build .tools/demo-registry, a registry in memory for the demo and the tutorials
	@CGO_ENABLED=0 go build -o $(TOOLS)/demo-registry ./demo/registry

demo-bucket: $(call stamp,$(VERSITYGW)) ## install .tools/versitygw, an S3 server for the tutorials and the tests

session: build $(call stamp,$(ORAS)) ## rewrite the session in docs/pictures/ with what make demo prints
	go test ./e2e -count 1 -run '^TestDemo$$' -update

screens: build $(call stamp,$(REGISTRY)) ## retake the screens in docs/screens/ with tmux
	bash demo/screens.sh

man: build ## write the man page to ./oras-mirror.1
	./oras-mirror man >oras-mirror.1

# Files are installed below $(DESTDIR)$(PREFIX). DESTDIR is the folder of a package that is built.
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/oras-mirror
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
INSTALL    ?= install
DOCUMENTS  := LICENSE README.md CHANGELOG.md

# The program is built only if it is not there: "make && sudo make install" needs no Go for root.
install: ## install the program, its man page, completions and documents into PREFIX (/usr/local)
	@test -x oras-mirror || $(MAKE) build
	$(INSTALL) -d $(foreach dir,$(BINDIR) $(MANDIR)/man1 $(DOCDIR) $(BASHDIR) $(ZSHDIR) $(FISHDIR),"$(DESTDIR)$(dir)")
	$(INSTALL) -m 755 oras-mirror "$(DESTDIR)$(BINDIR)/oras-mirror"
	$(INSTALL) -m 644 $(DOCUMENTS) "$(DESTDIR)$(DOCDIR)"
	@set -e; generated=$$(mktemp); trap 'rm -f "$$generated"' EXIT; \
	write() { ./oras-mirror $$2 >"$$generated"; echo "./oras-mirror $$2 >$$1"; $(INSTALL) -m 644 "$$generated" "$$1"; }; \
	write "$(DESTDIR)$(MANDIR)/man1/oras-mirror.1" man; \
	write "$(DESTDIR)$(BASHDIR)/oras-mirror" "completion bash"; \
	write "$(DESTDIR)$(ZSHDIR)/_oras-mirror" "completion zsh"; \
	write "$(DESTDIR)$(FISHDIR)/oras-mirror.fish" "completion fish"

uninstall: ## remove what make install has installed into PREFIX
	rm -f "$(DESTDIR)$(BINDIR)/oras-mirror" "$(DESTDIR)$(MANDIR)/man1/oras-mirror.1" "$(DESTDIR)$(BASHDIR)/oras-mirror" \
		"$(DESTDIR)$(ZSHDIR)/_oras-mirror" "$(DESTDIR)$(FISHDIR)/oras-mirror.fish" $(foreach name,$(DOCUMENTS),"$(DESTDIR)$(DOCDIR)/$(name)")
	test ! -d "$(DESTDIR)$(DOCDIR)" || rmdir "$(DESTDIR)$(DOCDIR)"

image: ## build the image IMAGE (oras-mirror:VERSION) with docker
	docker build --build-arg VERSION="$(VERSION)" --build-arg REVISION="$$(git rev-parse HEAD)" \
		--build-arg CREATED="$$(TZ=UTC0 git log -1 --date=iso-strict-local --format=%cd)" -t "$(or $(IMAGE),oras-mirror:$(VERSION))" .

# Files get the time of the commit, so that a release can be reproduced byte for byte.
COMMITTED := $(shell git log -1 --format=%ct 2>/dev/null)
RELEASE    = go run ./internal/release -version "$(VERSION)" -time "$(or $(COMMITTED),0)" -nfpm $(TOOLS)/nfpm

release: $(call stamp,$(NFPM)) ## build archives, packages, SBOMs and checksums into dist/, signed by the ssh key SIGN_KEY
	$(RELEASE) -output dist -sign "$(SIGN_KEY)"

release-check: release ## build the release again elsewhere and compare
	again=$$(mktemp -d) && trap 'rm -rf "$$again"' EXIT && $(RELEASE) -output "$$again/dist" && diff -r -x SHA256SUMS.sig dist "$$again/dist"

tools: $(foreach tool,$(REGISTRY) $(ORAS) $(CRANE) $(REGCTL) $(VERSITYGW) $(HELM) $(NFPM) $(STATICCHECK) $(COSIGN),$(call stamp,$(tool))) ## install the tools for test and lint into .tools/

# $(1): package@version. go install uses the go.mod of that version, not ours.
define install
$(call stamp,$(1)):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install $(1)
	@rm -f $(TOOLS)/$(firstword $(subst @, ,$(notdir $(1))))@*.installed
	@touch $$@
endef
$(foreach tool,$(REGISTRY) $(ORAS) $(CRANE) $(REGCTL) $(VERSITYGW) $(HELM) $(NFPM) $(STATICCHECK),$(eval $(call install,$(tool))))

# cosign is large: where it cannot be built, the tests that need it are skipped and counted.
$(call stamp,$(COSIGN)):
	@mkdir -p $(TOOLS)
	@rm -f $(TOOLS)/cosign@*.installed
	GOBIN=$(TOOLS) go install $(COSIGN) && touch $@ || echo "not installed, its tests are skipped: cosign"

# program:package. Tests run these programs if they are installed: readers of our archives and
# layouts, shells that complete our command lines, and the terminal for the screens.
PROGRAMS := bsdtar:libarchive-tools busybox:busybox pigz:pigz python3:python3 skopeo:skopeo containerd:containerd fish:fish zsh:zsh tmux:tmux ssh-keygen:openssh-client openssl:openssl rpm:rpm

packages: ## install missing Debian packages for the tests, if root
	@missing=""; for program in $(PROGRAMS); do \
		command -v "$${program%%:*}" >/dev/null || missing="$$missing $${program#*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
		echo "not installed, their tests are skipped:$$missing"; exit 0; \
	fi; \
	echo "apt-get install$$missing"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

clean: ## remove build results and .tools/
	rm -rf oras-mirror oras-mirror.exe oras-mirror.1 dist $(TOOLS) demo/work

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
