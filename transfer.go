package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// transferFlags are what backup and restore have in common.
type transferFlags struct {
	runFlags
	referrerFlags

	FailFast bool `group:"Run" help:"Stop at the first artifact that fails."`
}

// runFlags are those of every command that talks to registries.
type runFlags struct {
	remoteFlags

	limitFlags

	Buffer byteSize `group:"Run" default:"128MiB" placeholder:"SIZE" help:"Use this much memory for content in transit; default ${default}."`
	Debug  bool     `group:"Run" short:"d" xor:"loudness" help:"Log every request."`
	loudnessFlags
}

// referrerFlags win over what a spec says of referrers.
type referrerFlags struct {
	IncludeReferrers *bool `group:"Run" xor:"referrers" help:"Copy signatures, SBOMs and attestations, whatever the spec says."`
	ExcludeReferrers *bool `group:"Run" xor:"referrers" help:"Do not copy signatures, SBOMs and attestations."`
}

// included tells whether referrers come along; nil leaves that to the spec. A flag
// with =false says what the other one says.
func (f *referrerFlags) included() *bool {
	if f.ExcludeReferrers == nil {
		return f.IncludeReferrers
	}
	included := !*f.ExcludeReferrers
	return &included
}

// excluded tells whether the flags leave referrers behind.
func (f *referrerFlags) excluded() bool {
	included := f.included()
	return included != nil && !*included
}

// A run may take 128 MiB beside its buffer.
const (
	// overhead is the heap's share of it; the rest is for the program itself,
	// 64 MiB that the runtime maps without using them, and what the collector has not
	// got to.
	overhead = 24 << 20
	// muchOverhead takes its place once much is kept: then the collector would have
	// to run all the time, for little. What it leaves is for the gaps in the heap: the
	// kernel counts what was mapped once, used or not.
	muchOverhead = 40 << 20
	// kept is the share that may be kept until the end: the plan (1 KiB an artifact),
	// an index.json, manifests that wait for their turn. What the plan leaves of it
	// and of the buffer is for content on its way.
	kept = 64 << 20
	// defaultBuffer is the buffer of a command without --buffer.
	defaultBuffer = 128 << 20
)

// leastBuffer still lets one large blob through in pieces.
const leastBuffer = 1 << 20

func (f *runFlags) Validate() error {
	if f.Buffer < leastBuffer {
		return usage("", "--buffer must be at least 1MiB, not %s", bytesText(int64(f.Buffer)))
	}
	return errors.Join(f.limitFlags.Validate(), f.remoteFlags.Validate())
}

// client makes the client of a run, for the registries that it will talk to.
func (f *runFlags) client(spec *config.Spec, s session, hosts []string) (*registry.Client, error) {
	options, err := f.options(spec, s, hosts)
	if err != nil {
		return nil, err
	}
	options.StallTimeout, options.MaxManifest = f.StallTimeout, int64(f.MaxManifestSize)
	options.Retry.OnRetry = s.retrying
	boundMemory(int64(f.Buffer))
	if f.Debug {
		options.Debug = debugTo(s.print)
	}
	return registry.New(options), nil
}

// session is what the flags of a run need beside a command line.
type session struct {
	stdin         io.Reader
	stdinTerminal bool
	prompt        io.Writer // asks for a password
	secrets       *secrets  // that must not be shown
	retrying      func(registry, reason string) (over func())
	print         func(string)
}

// start makes the client of a run, for the registries that it will talk to, and has the
// ui say as much as the flags ask for.
func start(u *ui, f *runFlags, spec *config.Spec, hosts []string) (*registry.Client, error) {
	client, err := f.client(spec, session{stdin: u.Stdin, stdinTerminal: u.StdinTerminal, prompt: u.Stderr, secrets: &u.secrets,
		retrying: u.retries.begin, print: u.print}, hosts)
	if err != nil {
		return nil, err
	}
	u.limit(f.Quiet, f.NoTTY || f.Debug)
	if f.Password != "" || f.IdentityToken != "" {
		u.notice("others on this machine can see a password on a command line; --password-stdin and --identity-token-stdin hide it")
	}
	u.hints = hints{given: len(f.names()) > 0, files: f.RegistryConfig, buffer: true}
	return client, client.Check(hosts)
}

// boundMemory makes reading fail that would keep more than a run may have, and the
// collector run before the heap outgrows it. Below it may be seldom: at twice the
// live heap, which is small as a rule, it took a fifth of the time of a run of small
// artifacts. GOGC and GOMEMLIMIT in the environment win.
func boundMemory(buffer int64) {
	limitHeap := func(most int64) {
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(most)
		}
	}
	limitHeap(buffer + overhead)
	bounds.SetMemory(buffer+kept, func() { limitHeap(buffer + muchOverhead) })
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// debugTo returns a printer that any goroutine may call.
func debugTo(print func(string)) func(string, ...any) {
	var mu sync.Mutex
	return func(format string, a ...any) {
		mu.Lock()
		defer mu.Unlock()
		print("oras-mirror: debug: " + fmt.Sprintf(format, a...))
	}
}

// hostsOf lists the registries that something names, each once, in order.
func hostsOf[T any](all []T, host func(T) string) []string {
	var hosts []string
	for _, one := range all {
		if h := host(one); h != "" && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}
