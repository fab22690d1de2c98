// Package option holds the flags that commands share, and turns them into the options of
// the packages below.
package option

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
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/redact"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// TransferFlags are the flags that backup and restore share.
type TransferFlags struct {
	RunFlags
	ReferrerFlags

	FailFast bool `group:"Run" help:"Stop at the first artifact that fails."`
}

// RunFlags are the flags of every command that talks to registries.
type RunFlags struct {
	remoteFlags

	limitFlags

	Buffer text.ByteSize `group:"Run" default:"128MiB" placeholder:"SIZE" help:"Use this much memory for content in transit; default ${default}."`
	Debug  bool          `group:"Run" short:"d" xor:"verbosity" help:"Log every request."`
	VerbosityFlags
}

// Verbosity reports the same as that of VerbosityFlags: the log of --debug goes without
// a bar.
func (f *RunFlags) Verbosity() (quiet, plain bool) {
	return f.Quiet, f.NoTTY || f.Debug
}

// A run may use 128 MiB of memory in addition to its buffer.
const (
	// overhead is the share of the heap; the rest is for the program itself, 64 MiB that
	// the runtime maps without using them, and garbage that is not collected yet.
	overhead = 24 << 20
	// muchOverhead replaces it once a run keeps much: the collector would run all the
	// time, for little. The rest is for gaps in the heap: the kernel counts memory that
	// was mapped once, used or not.
	muchOverhead = 40 << 20
	// kept is the share that a run may keep until its end: the plan (1 KiB an artifact),
	// an index.json, manifests that wait for their turn. The plan leaves the rest of it
	// and the buffer to content in transit.
	kept = 64 << 20
	// DefaultBuffer is the buffer of a command without --buffer.
	DefaultBuffer = 128 << 20
	// calm is the share of the heap of a command without content in transit, such as statement,
	// until it keeps much. More would be garbage.
	calm = 112 << 20
)

// minBuffer is enough to copy one large blob in pieces.
const minBuffer = 1 << 20

// Validate checks the flags; kong calls it.
func (f *RunFlags) Validate() error {
	if f.Buffer < minBuffer {
		return exit.Usage("", "--buffer must be at least 1MiB, not %s", text.Bytes(int64(f.Buffer)))
	}
	return errors.Join(f.limitFlags.Validate(), f.remoteFlags.Validate())
}

// Client makes the client of a run for the registries of hosts.
func (f *RunFlags) Client(spec *config.Spec, s Session, hosts []string) (*registry.Client, error) {
	return f.client(spec, s, hosts, nil)
}

func (f *RunFlags) client(spec *config.Spec, s Session, hosts []string, sides *Sides) (*registry.Client, error) {
	if err := checkCredentialFiles(f.RegistryConfig, sides); err != nil {
		return nil, err
	}
	options, err := f.options(spec, s, hosts)
	if err == nil && sides != nil {
		err = sides.apply(&options, s)
	}
	if err != nil {
		return nil, err
	}
	options.MaxManifest = int64(f.MaxManifestSize)
	options.Transport.StallTimeout, options.Transport.Retry.OnRetry = f.StallTimeout, s.Retrying
	BoundMemory(int64(f.Buffer))
	if f.Debug {
		options.Transport.Debug = debugTo(s.Print)
	}
	return registry.New(options), nil
}

// checkCredentialFiles refuses a credentials file of a flag that does not exist: only one of the
// usual places may.
func checkCredentialFiles(files []string, sides *Sides) error {
	if sides != nil {
		files = slices.Concat(files, sides.From.RegistryConfig, sides.To.RegistryConfig)
	}
	return exit.CheckFiles(files...)
}

// Session holds what the flags of a run need in addition to the command line.
type Session struct {
	Stdin         io.Reader
	StdinTerminal bool
	AskPassword   func(prompt string) ([]byte, error)
	Secrets       *redact.Secrets // gets the secrets of the flags, to mask them
	Retrying      func(registry, reason string) (over func())
	Print         func(string)
}

// BoundMemory makes a read fail that would keep more memory than a run may use, and makes
// the collector run before the heap grows beyond that. Below the limit the collector runs
// seldom: at twice the live heap, which is small as a rule, it took a fifth of the time of
// a run of small artifacts. GOGC and GOMEMLIMIT in the environment take precedence.
func BoundMemory(buffer int64) { boundMemory(buffer, buffer+overhead) }

// BoundReading is BoundMemory for a command that has no content in transit.
func BoundReading() { boundMemory(DefaultBuffer, calm) }

func boundMemory(buffer, heap int64) {
	limitHeap := func(most int64) {
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(most)
		}
	}
	limitHeap(heap)
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
