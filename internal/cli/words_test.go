package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/console"
)

// wording is an error and the place where it is printed.
type wording struct {
	name   string
	err    error
	hints  advice.Hints
	target string   // of an artifact that a restore failed to bring there
	args   []string // a command line instead of an error
}

const sum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// wordings lists every error, by the place where it is printed.
func wordings() []wording {
	return slices.Concat(
		credentialWordings(),
		toolWordings(),
		connectionWordings(),
		registryWordings(),
		limitWordings(),
		pushWordings(),
		diskWordings(),
		bucketWordings(),
		commandLineWordings(),
	)
}

// TestWords renders every error and hint. Read testdata/words.golden from top to bottom;
// go test -run TestWords -update writes it.
func TestWords(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", os.Getenv("HOME"))
	t.Setenv("JOB_COMPLETION_INDEX", "")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(os.Getenv("HOME"), "config.json"), `{"auths": {"stored.example": {"auth": "bWU6c2VjcmV0"}}}`)
	write("users", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
	write("key.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsorces: [ghcr.io/acme/app:v1]\n")
	write("value.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [ghcr.io/acme/app:v1]\ntargets: [{target: localhost:5000, existingTags: skp}]\n")
	write("prune.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [ghcr.io/acme/app:v1]\noutput: bundle.tgz\n")
	write("targets.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\ntargets: [{name: prod, target: localhost:5000}, {name: test, target: localhost:5001}]\n")
	write("shard.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [ghcr.io/acme/app:v1]\noutput: bundle-${SHARD}.tgz\n")
	write("chart.yaml", "{{- if .Values.enabled }}\nkind: Pod\n{{- end }}\n---\nkind: Pod\nspec:\n  containers:\n    - image: \"{{ .Values.image }}\"\n")
	write("deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n")
	write("variables.yaml", "kind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - image: ghcr.io/acme/app:${TAG}\n")
	write("image.yaml", "kind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - image: https://ghcr.io/acme/app:v1\n    - image: ko://github.com/acme/app\n")
	write("kubernetes.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - kubernetes: deploy/**/*.yaml\n")
	write("sort.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - repository: ghcr.io/acme/app\n    tags: {latest: 1, sort: {pattern: 'build-\\d+', by: number}}\n")
	write("tab.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n\t- ghcr.io/acme/app:v1\n")
	write("tags.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - repository: ghcr.io/acme/app\n    tags: 1.0\n")
	write("indent.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - repository: ghcr.io/acme/app\n   tags: {latest: 3}\n")
	var all bytes.Buffer
	for _, w := range wordings() {
		if w.err == nil && w.args == nil {
			fmt.Fprintf(&all, "%s\n%s\n\n", w.name, strings.Repeat("=", len(w.name)))
			continue
		}
		fmt.Fprintf(&all, "# %s\n%s\n", w.name, w.render(t.Context()))
	}
	golden(t, "words.golden", all.Bytes())
}

// render returns the lines on standard error.
func (w wording) render(ctx context.Context) string {
	var out, product bytes.Buffer
	s := console.Streams{Stdin: strings.NewReader(""), Stdout: &product, Stderr: &out}
	u := console.New(console.Options{Streams: s})
	u.Advise(func(h *advice.Hints) { *h = w.hints })
	switch {
	case w.args != nil:
		Run(ctx, w.args, s)
	case w.target != "":
		for _, line := range u.Failed(engine.ArtifactReport{Reference: "ghcr.io/acme/app:v1", Target: w.target, Err: w.err}) {
			fmt.Fprintln(&out, line)
		}
	default:
		u.Fail(w.err)
	}
	return out.String()
}
