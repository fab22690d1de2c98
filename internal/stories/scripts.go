package stories

import (
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// commands returns the commands of a story.
func (w *world) commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"registry":   w.registry,
		"proxy":      w.proxy,
		"bucket":     w.bucket,
		"charts":     w.charts,
		"chart":      w.chart,
		"deny":       w.deny,
		"objects":    w.objects,
		"seed":       w.seed,
		"key":        w.key,
		"sign":       w.sign,
		"fill":       fill,
		"exits":      exits,
		"says":       says,
		"replace":    replace,
		"copied":     w.copied,
		"requests":   w.requests,
		"fault":      w.fault,
		"blocked":    w.blocked,
		"unblock":    w.unblock,
		"interrupt":  w.interrupt,
		"damage":     damage,
		"events":     checkEvents,
		"report":     checkReport,
		"metrics":    checkMetrics,
		"same":       same,
		"document":   checkDocument,
		"damageblob": damageblob,
		"stopafter":  w.stopAfter,
		"stalls":     w.stalls,
		"serve":      w.serve,
		"unserve":    w.unserve,
	}
}

// Run runs the stories in files, each with its own registries.
func Run(t *testing.T, files []string) {
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			w := &world{tb: t, registries: make(map[string]*testregistry.Registry), served: make(map[string]*servedCommand), helm: make(map[string]*testchart.Repository),
				images: make(map[string]ocispec.Descriptor), signers: signers{keys: make(map[string]testsign.Signer)}}
			testscript.Run(t, testscript.Params{
				Files:              []string{file},
				Setup:              w.setup,
				Condition:          condition,
				RequireUniqueNames: true,
				Cmds:               w.commands(),
			})
		})
	}
}
