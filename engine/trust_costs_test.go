package engine_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillCosts puts five signed images and an index with an image, which are signed too, and returns
// the number of signatures.
func fillCosts(r *testregistry.Registry, key signerKey, where place) (signatures int) {
	for i := range 5 {
		key.sign(r, "app", r.Image("app", fmt.Sprint("v", i), fmt.Append(nil, i)), where)
	}
	image := r.Image("app", "", []byte("child"))
	key.sign(r, "app", image, where)
	key.sign(r, "app", r.Index("app", "multi", image), where)
	return 7
}

// lockOf returns the bytes of a lock.
func lockOf(t *testing.T, from []config.Selection, o engine.BackupOptions) (*lockfile.Lock, []byte) {
	t.Helper()
	f, err := backup.Forecast(t.Context(), client(o.Concurrency), from, backup.Output{}, o)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := lock.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return lock, b.Bytes()
}

// TestRequestsForSignatures counts the requests of each command with a policy, with one that
// matches nothing, and without, on registries with and without the referrers API.
func TestRequestsForSignatures(t *testing.T) {
	commands := map[string]func(t *testing.T, from []config.Selection, trust engine.Trust){
		"backup": func(t *testing.T, from []config.Selection, trust engine.Trust) {
			report, err := tryBackup(t, t.TempDir()+"/bundle.tgz", from, engine.BackupOptions{Trust: trust})
			whole(t, report, err)
		},
		"sync": func(t *testing.T, from []config.Selection, trust engine.Trust) {
			report, err := syncOf(t, client(0), from, engine.RestoreOptions{Trust: trust}, testregistry.New(t, testregistry.Options{}).Host)
			whole(t, report, err)
		},
		"lock": func(t *testing.T, from []config.Selection, trust engine.Trust) {
			lockOf(t, from, engine.BackupOptions{Trust: trust})
		},
	}
	for _, noAPI := range []bool{false, true} {
		for _, where := range []place{asTag, asReferrer, asBundle} {
			for _, command := range slices.Sorted(maps.Keys(commands)) {
				t.Run(fmt.Sprintf("%s, %s, API %v", command, where, !noAPI), func(t *testing.T) {
					r, key := testregistry.New(t, testregistry.Options{NoReferrersAPI: noAPI}), newSigner(t)
					signatures := fillCosts(r, key, where)
					count := func(trust engine.Trust) map[string]int {
						r.ResetCounts()
						commands[command](t, selections(t, r.Host+"/app"), trust)
						return maps.Clone(r.Counts())
					}
					policy := key.policy("**")
					policy.Signed = engine.SignedImages
					without, unmatched, with := count(nil), count(trusting(t, key.policy("ghcr.io/**"))), count(trusting(t, policy))
					if !maps.Equal(without, unmatched) {
						t.Errorf("%v with a policy that matches nothing, %v without", unmatched, without)
					}
					if command == "lock" {
						without["GET blob"] += signatures
					}
					if !maps.Equal(without, with) {
						t.Errorf("%v with a policy, want %v", with, without)
					}
				})
			}
		}
	}
}

// TestLockIsTheSameBytes for the same registry and day, in any order of its requests.
func TestLockIsTheSameBytes(t *testing.T) {
	for _, where := range []place{asTag, asReferrer, asBundle} {
		t.Run(string(where), func(t *testing.T) {
			r, key, other := testregistry.New(t, testregistry.Options{}), newSigner(t), newSigner(t)
			fillCosts(r, key, where)
			from := selections(t, r.Host+"/app")
			if err := from[0].Tags.MinAge.UnmarshalText([]byte("3d")); err != nil {
				t.Fatal(err)
			}
			policy := key.policy("**")
			policy.Cosign.Keys = append(policy.Cosign.Keys, other.policy("**").Cosign.Keys...)
			known, _ := lockOf(t, from, engine.BackupOptions{Trust: trusting(t, policy)})
			key.sign(r, "app", r.Image("app", "v9", []byte("too new")), where)
			lock := func(concurrency int) []byte {
				_, text := lockOf(t, from, engine.BackupOptions{Concurrency: concurrency, Trust: trusting(t, policy),
					Quarantine: &engine.Quarantine{Before: known, Today: "2026-11-26"}})
				return text
			}
			first := lock(1)
			for _, concurrency := range []int{1, 3, 16} {
				if again := lock(concurrency); !bytes.Equal(again, first) {
					t.Errorf("with %d requests at once:\n%s\nwant\n%s", concurrency, again, first)
				}
			}
			if n := strings.Count(string(first), key.line()); n != 6 || !strings.Contains(string(first), "pending:") {
				t.Errorf("%d signers in\n%s", n, first)
			}
			other.sign(r, "app", r.Image("app", "v3", fmt.Append(nil, 3)), where)
			before, after := strings.Split(string(first), "\n"), strings.Split(string(lock(16)), "\n")
			changed := 0
			for i := range before {
				if before[i] != after[i] {
					changed++
				}
			}
			if len(before) != len(after) || changed != 1 {
				t.Errorf("%d lines changed in\n%s", changed, strings.Join(after, "\n"))
			}
		})
	}
}
