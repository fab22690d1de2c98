package engine_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/merge"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// mergeWorld has a bundle of two images that share a layer, and two directories with the same.
type mergeWorld struct {
	host         string
	bundle       string
	one, other   string
	shared, only digest.Digest // layers; only is of own:v1 alone
	manifest     digest.Digest // of own:v1
}

func newMergeWorld(t *testing.T) *mergeWorld {
	t.Helper()
	r := testregistry.New(t, testregistry.Options{})
	shared, only := testregistry.Random("shared", 200_000), testregistry.Random("only", 300_000)
	own := r.Image("own", "v1", shared, only)
	r.Referrer("own", own, "application/vnd.example.signature", []byte("signature"))
	r.Image("team/app", "v1", shared, []byte("small"))
	repos := selections(t, r.Host+"/own", r.Host+"/team/app")
	dir := t.TempDir()
	w := &mergeWorld{host: r.Host, bundle: dir + "/bundle.tgz", one: dir + "/one/", other: dir + "/other/",
		shared: digest.FromBytes(shared), only: digest.FromBytes(only), manifest: own.Digest}
	for _, path := range []string{w.bundle, w.one, w.other} {
		backUp(t, path, repos)
	}
	return w
}

func blobAt(layout string, d digest.Digest) string {
	return filepath.Join(layout, "blobs", string(d.Algorithm()), d.Encoded())
}

// spoil changes a blob of a directory.
func spoil(t *testing.T, layout string, d digest.Digest, change func([]byte) []byte) {
	t.Helper()
	path := blobAt(layout, d)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data = change(data); data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var damages = map[string]func([]byte) []byte{
	"another byte": func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b },
	"truncated":    func(b []byte) []byte { return b[:len(b)-1] },
	"longer":       func(b []byte) []byte { return append(bytes.Clone(b), 0) },
	"empty":        func([]byte) []byte { return []byte{} },
	"absent":       func([]byte) []byte { return nil },
}

// TestMergeTakesTheUndamagedCopy damages a blob of each kind in one input.
func TestMergeTakesTheUndamagedCopy(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			w := newMergeWorld(t)
			spoil(t, w.one, w.shared, damage)
			spoil(t, w.other, w.only, damage)
			spoil(t, w.one, w.manifest, damage)
			for _, inputs := range [][]string{{w.one, w.other}, {w.other, w.one}} {
				checkSameFolder(t, unpack(t, mergeTo(t, filepath.Join(t.TempDir(), "out.tgz"), inputs...)), unpack(t, w.bundle))
				checkSameFolder(t, folder(t, mergeTo(t, filepath.Join(t.TempDir(), "out")+"/", inputs...)), unpack(t, w.bundle))
			}
		})
	}
}

// TestMergeTakesTheUndamagedCopyOfABundle damages one byte of a bundle.
func TestMergeTakesTheUndamagedCopyOfABundle(t *testing.T) {
	w := newMergeWorld(t)
	data, err := os.ReadFile(w.bundle)
	if err != nil {
		t.Fatal(err)
	}
	layer := testregistry.Random("only", 300_000)
	at := bytes.Index(data, layer[1000:1100])
	if at < 0 {
		t.Fatal("the layer is not stored as it is")
	}
	data[at] ^= 1
	damaged := filepath.Join(t.TempDir(), "damaged.tgz")
	if err := os.WriteFile(damaged, data, 0o644); err != nil {
		t.Fatal(err)
	}
	checkSameFile(t, mergeTo(t, filepath.Join(t.TempDir(), "out.tgz"), damaged, w.one), w.bundle)
}

// TestMergeOfWhatIsDamagedEverywhere keeps what is whole, beside the file that the output would
// have replaced.
func TestMergeOfWhatIsDamagedEverywhere(t *testing.T) {
	for _, name := range []string{"truncated", "absent"} {
		t.Run(name, func(t *testing.T) {
			w := newMergeWorld(t)
			spoil(t, w.one, w.only, damages[name])
			spoil(t, w.other, w.only, damages["another byte"])
			out := filepath.Join(t.TempDir(), "out.tgz")
			if err := os.WriteFile(out, mustRead(t, w.bundle), 0o644); err != nil {
				t.Fatal(err)
			}
			report, err := tryMerge(t, out, w.one, w.other)
			checkOwnFails(t, w, report, err)
			if report.Output != out+".incomplete" || !report.Incomplete {
				t.Errorf("the output is %s", report.Output)
			}
			checkSameFile(t, out, w.bundle)
			checkOnlyTheAppIsThere(t, w, out+".incomplete")

			report, err = tryMerge(t, filepath.Join(t.TempDir(), "out")+"/", w.one, w.other)
			checkOwnFails(t, w, report, err)
			checkOnlyTheAppIsThere(t, w, report.Output)
		})
	}
}

func checkOwnFails(t *testing.T, w *mergeWorld, report *engine.Report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	failures := report.Failures()
	for _, f := range failures {
		if _, corrupt := errors.AsType[*engine.CorruptError](f.Err); !corrupt || !strings.Contains(f.Err.Error(), w.only.String()) {
			t.Error(f.Err)
		}
	}
	if len(failures) != 1 || failures[0].Reference != w.host+"/own:v1" {
		t.Errorf("%d artifacts fail: %+v", len(failures), failures)
	}
}

// checkOnlyTheAppIsThere checks that a merged layout lacks own:v1 and says so, and that the
// rest of it is whole.
func checkOnlyTheAppIsThere(t *testing.T, w *mergeWorld, path string) {
	t.Helper()
	in := openUnion(t, path)
	if _, ok := in.Index().Lookup(w.host + "/own:v1"); ok {
		t.Error("index.json has the damaged artifact")
	}
	if _, ok := in.Index().Lookup(w.host + "/team/app:v1"); !ok {
		t.Error("index.json lacks the artifact that is whole")
	}
	if missing := engine.Missing(in.Index()); len(missing) != 1 || missing[0] != w.host+"/own:v1" {
		t.Errorf("index.json says that %v is missing", missing)
	}
	if v, err := store.Verify(t.Context(), in, verify.Options{}); err != nil || len(v.Faults) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMergeMarksAnArtifactWithoutItsReferrer loses a signature: its artifact stays, and is
// marked as one whose referrers are incomplete.
func TestMergeMarksAnArtifactWithoutItsReferrer(t *testing.T) {
	w := newMergeWorld(t)
	signature := digest.FromString("signature")
	spoil(t, w.one, signature, damages["another byte"])
	report, err := tryMerge(t, filepath.Join(t.TempDir(), "out")+"/", w.one)
	if err != nil || len(report.Failures()) != 1 {
		t.Fatalf("%v, %+v", err, report.Failures())
	}
	e, ok := openUnion(t, report.Output).Index().Lookup(w.host + "/own:v1")
	if !ok || e.Referrers != oci.ReferrersIncomplete {
		t.Errorf("the entry is %+v", e)
	}
}

// growing is a layout whose blobs are longer when they are read than they were before.
type growing struct{ store.Layout }

func (g growing) Open(d digest.Digest) (store.Blob, error) {
	b, err := g.Layout.Open(d)
	if err != nil || b.Size() < 100_000 {
		return b, err
	}
	return grown{b}, nil
}

type grown struct{ store.Blob }

func (g grown) Read(p []byte) (int, error) {
	n, err := g.Blob.Read(p)
	if err != nil && n == 0 {
		return copy(p, "more"), nil
	}
	return n, nil
}

// TestMergeOfAnInputThatChanges reads blobs that grow, and a blob that is removed, after the
// input was opened.
func TestMergeOfAnInputThatChanges(t *testing.T) {
	for _, output := range []string{"out.tgz", "out.tar", "out/"} {
		t.Run(output, func(t *testing.T) {
			w := newMergeWorld(t)
			out, err := store.Create(filepath.Join(t.TempDir(), output[:3])+output[3:], store.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			in, err := store.Unite([]store.Member{{Path: "a", Layout: growing{openUnion(t, w.one)}}, {Path: "b", Layout: growing{openUnion(t, w.other)}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := merge.Run(t.Context(), in, out, merge.Options{}); !errors.Is(err, engine.ErrNothing) {
				t.Error(err)
			}
		})
	}
	w := newMergeWorld(t)
	in := openUnion(t, w.one)
	spoil(t, w.one, w.only, damages["absent"])
	out, err := store.Create(filepath.Join(t.TempDir(), "out.tgz"), store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	report, err := merge.Run(t.Context(), in, out, merge.Options{})
	checkOwnFails(t, w, report, err)
}

// stopping ends a run after a number of bytes.
type stopping struct {
	engine.Silent
	left   atomic.Int64
	cancel context.CancelFunc
}

func (s *stopping) Moved(n int64) {
	if s.left.Add(-n) < 0 {
		s.cancel()
	}
}

// TestInterruptedMergeResumes ends a merge at many places, and runs it again.
func TestInterruptedMergeResumes(t *testing.T) {
	w := newMergeWorld(t)
	for _, output := range []string{"/out.tgz", "/out/"} {
		for _, bytes := range []int64{0, 250_000, 499_000} {
			path := t.TempDir() + output
			run := func(stop int64) (*engine.Report, error) {
				out, err := store.Create(path, store.CreateOptions{})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p := &stopping{cancel: cancel}
				p.left.Store(stop)
				report, err := merge.Run(ctx, openUnion(t, w.bundle), out, merge.Options{Progress: p, Concurrency: 1})
				return report, errors.Join(err, out.Close())
			}
			if report, err := run(bytes); err == nil || len(report.Failures()) == 0 {
				t.Errorf("%s, %d bytes: %v", output, bytes, err)
			}
			report, err := run(1 << 40)
			whole(t, report, err)
			if all := int64(500_000); bytes >= 250_000 && report.Moved > all-150_000 {
				t.Errorf("%s, %d bytes: %d bytes are copied again", output, bytes, report.Moved)
			}
			if output == "/out.tgz" {
				checkSameFile(t, path, w.bundle)
			} else {
				checkSameFolder(t, folder(t, path), unpack(t, w.bundle))
			}
		}
	}
}

// TestMergeIntoALayoutWithOtherArtifacts refuses that by name; what is the same stays.
func TestMergeIntoALayoutWithOtherArtifacts(t *testing.T) {
	w := newMergeWorld(t)
	mergeTo(t, w.other, w.bundle)
	r := testregistry.New(t, testregistry.Options{})
	r.Image("more", "v1", []byte("more"))
	backUp(t, w.other, selections(t, r.Host+"/more"))
	before := folder(t, w.other)
	_, err := tryMerge(t, w.other, w.bundle)
	if occupied, ok := errors.AsType[*merge.OccupiedError](err); !ok || occupied.Name != r.Host+"/more:v1" {
		t.Error(err)
	}
	checkSameFolder(t, folder(t, w.other), before)
}
