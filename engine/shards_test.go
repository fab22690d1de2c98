package engine_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// sizesOf measures the repositories of some selections, as for a lock.
func sizesOf(t *testing.T, all []config.Selection) []lockfile.Repository {
	t.Helper()
	f, err := backup.Forecast(t.Context(), client(0), all, backup.Output{Directory: true}, engine.BackupOptions{MeasureEach: true})
	if err != nil {
		t.Fatal(err)
	}
	return f.Repositories
}

// TestShardsAreTheWholePlan backs up each shard alone. Together they have each artifact once,
// and make the requests of one machine, but for blobs that repositories of two shards share.
func TestShardsAreTheWholePlan(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	var repositories []string
	for i := range 13 {
		name := fmt.Sprintf("team/app-%d", i)
		image := source.Image(name, "v1", testregistry.Random(name, 1000*i), []byte(name+" has no other"))
		source.Referrer(name, image, "application/vnd.example.signature", []byte("signature of "+name))
		source.Image(name, "v2", []byte("second "+name))
		repositories = append(repositories, source.Host+"/"+name)
	}
	all := selections(t, repositories...)
	alone := backUp(t, filepath.Join(t.TempDir(), "layout")+"/", all)
	requests := source.Counts()
	want := referencesOf(alone)
	for _, sizes := range [][]lockfile.Repository{nil, sizesOf(t, all)} {
		for _, count := range []int{1, 2, 5} {
			source.ResetCounts()
			var got []string
			for i := range count {
				part := shard.New(shard.Part{Index: i, Count: count}, shard.Names{}, sizes)
				report, err := tryBackup(t, filepath.Join(t.TempDir(), "layout")+"/", all, engine.BackupOptions{Shard: part})
				whole(t, report, err)
				got = append(got, referencesOf(report)...)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%d shards have %q, want %q", count, got, want)
			}
			for kind, n := range source.Counts() {
				most := requests[kind]
				if kind == "GET blob" { // one blob is the same in all repositories
					most += count - 1
				}
				if n > most {
					t.Errorf("%d shards, with sizes %v: %d %s, one machine %d", count, sizes != nil, n, kind, requests[kind])
				}
			}
		}
	}
}

// referencesOf lists the artifacts of a report, sorted.
func referencesOf(r *engine.Report) []string {
	var all []string
	for _, a := range r.Artifacts {
		all = append(all, a.Reference)
	}
	slices.Sort(all)
	return all
}

// TestShardsRestoreSideBySide restores all shards at once to a registry without the referrers
// API. Each list of referrers is written by one shard: the registry itself merges none.
func TestShardsRestoreSideBySide(t *testing.T) {
	sources := []*testregistry.Registry{testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})}
	united := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	var repositories []string
	for i := range 6 {
		name := fmt.Sprintf("team/app-%d", i)
		repositories = append(repositories, sources[0].Host+"/"+name, sources[1].Host+"/"+name)
		for k, r := range append(sources, united) {
			image := r.Image(name, "", []byte(name))
			r.Image(name, "sha256-"+image.Digest.Encoded()+".sig", []byte("signature of "+name))
			for who := range 2 {
				if k == who || r == united { // each source has another tag and another signature of the same image
					r.Image(name, fmt.Sprintf("v%d", who), []byte(name))
					r.Referrer(name, image, "application/vnd.example.signature", fmt.Appendf(nil, "signature %d", who))
				}
			}
		}
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, repositories...))
	mapper, err := config.NewMapper(nil)
	if err != nil {
		t.Fatal(err)
	}
	target := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	to := config.Target{Registry: target.Host, Namespace: "mirror"}
	const count = 4
	reports, errs := make([]*engine.Report, count), make([]error, count)
	var pods sync.WaitGroup
	for i := range count {
		pods.Go(func() {
			part := shard.New(shard.Part{Index: i, Count: count}, shard.Names{Mapper: mapper, Targets: []config.Target{to}}, nil)
			reports[i], errs[i] = tryRestore(t, reopen(t, path), to.String(), engine.RestoreOptions{Shard: part})
		})
	}
	pods.Wait()
	artifacts := 0
	for i := range count {
		whole(t, reports[i], errs[i])
		artifacts += len(reports[i].Artifacts)
	}
	if artifacts != 6 && artifacts != 12 {
		t.Errorf("%d artifacts", artifacts)
	}
	testregistry.CheckSame(t, united, target, "mirror")
}
