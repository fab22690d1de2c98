package engine_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Two references are backed up into a directory, and restored to another registry, where
// a mapping moves them below a path of its own.
func Example() {
	ctx, client := context.Background(), registry.New(registry.Options{})
	source, target, folder := exampleWorld()
	defer source.end()

	var selections []config.Selection
	for _, name := range []string{"team/app:v1", "team/tool:v2"} {
		ref, err := config.ParseReference(source.Host + "/" + name)
		if err != nil {
			log.Fatal(err)
		}
		selections = append(selections, config.Selection{Reference: ref, Referrers: true})
	}
	output, err := store.Create(folder+"/", store.CreateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	report, err := backup.Run(ctx, client, selections, output, engine.BackupOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := output.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("backed up:", len(report.Artifacts), "failed:", len(report.Failures()))

	input, err := store.OpenLayout(folder, store.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer input.Close()
	to, err := config.ParseTarget(target.Host)
	if err != nil {
		log.Fatal(err)
	}
	mapper, err := config.NewMapper([]config.Mapping{{Source: "team", Target: "mirror"}})
	if err != nil {
		log.Fatal(err)
	}
	report, err = restore.Run(ctx, client, input, engine.RestoreOptions{Targets: []config.Target{to}, Mapper: mapper})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("restored:", len(report.Artifacts), "failed:", len(report.Failures()))
	fmt.Println("mirror/app", target.Tags("mirror/app"), "mirror/tool", target.Tags("mirror/tool"))
	// Output:
	// backed up: 2 failed: 0
	// restored: 2 failed: 0
	// mirror/app [v1] mirror/tool [v2]
}

// exampleRegistry is a registry of an example, which has no test to end it.
type exampleRegistry struct {
	*testregistry.Registry
	end func()
}

// exampleWorld starts a registry with two images, an empty one, and a folder to come. The
// end of the first registry ends all.
func exampleWorld() (source exampleRegistry, target *testregistry.Registry, folder string) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	tb := &exampleTB{cleanups: []func(){func() { _ = os.RemoveAll(dir) }}}
	source = exampleRegistry{testregistry.New(tb, testregistry.Options{}), tb.end}
	target = testregistry.New(tb, testregistry.Options{})
	source.Image("team/app", "v1", []byte("app"))
	source.Image("team/tool", "v2", []byte("tool"))
	return source, target, filepath.Join(dir, "layout")
}

// exampleTB is as much of a test as a registry asks for.
type exampleTB struct {
	testing.TB
	cleanups []func()
}

func (*exampleTB) Helper()                           {}
func (*exampleTB) Context() context.Context          { return context.Background() }
func (t *exampleTB) Cleanup(fn func())               { t.cleanups = append(t.cleanups, fn) }
func (*exampleTB) Fatal(args ...any)                 { log.Fatal(args...) }
func (*exampleTB) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

func (t *exampleTB) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
