package shard

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
)

func repository(name string) config.Reference {
	r, err := config.ParseReference(name)
	if err != nil {
		panic(err)
	}
	return r
}

func mapper(t testing.TB, mappings ...config.Mapping) *config.Mapper {
	t.Helper()
	m, err := config.NewMapper(mappings)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// world is a random plan: repositories with sizes, names in targets, and the number of shards.
type world struct {
	names Names
	sizes []lockfile.Repository // of all repositories
	lock  []lockfile.Repository // sizes that the lock has; nil without one
	count int
}

func newWorld(t *testing.T, r *rand.Rand) world {
	w := world{count: 1 + r.IntN(9)}
	for i := range r.IntN(60) {
		host := []string{"ghcr.io", "quay.io", "a.example:5000"}[r.IntN(3)]
		name := fmt.Sprintf("%s/%sapp-%d", host, []string{"team/", "team/sub/", "x/", ""}[r.IntN(4)], i/3) // often one path on two registries, or below another one
		if slices.ContainsFunc(w.sizes, func(s lockfile.Repository) bool { return s.Repository.Name() == name }) {
			continue
		}
		w.sizes = append(w.sizes, lockfile.Repository{Repository: repository(name), Size: 1 + r.Int64N(1<<(10+r.IntN(20)))})
	}
	switch r.IntN(3) {
	case 0:
		w.lock = w.sizes
	case 1: // a lock that has become stale
		w.lock = w.sizes[:len(w.sizes)/2]
	}
	switch r.IntN(4) {
	case 0:
		w.names.Mapper = mapper(t)
	case 1: // many sources become one repository
		w.names.Mapper = mapper(t, config.Mapping{Source: "ghcr.io/team", Target: "x"}, config.Mapping{Source: "quay.io/x", Exclude: true},
			config.Mapping{SourcePattern: `a\.example:5000/x/.*`, Target: "all"})
	case 2:
		w.names.Mapper = mapper(t)
		w.names.Targets = []config.Target{{Registry: "t.example"}, {Registry: "T.example", Namespace: "team"}}
	}
	return w
}

// TestEveryShardComputesTheSame computes all parts of random plans, each alone. They are
// disjoint, cover the plan, and no two have sources of one repository of a target.
func TestEveryShardComputesTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 4))
	for range 300 {
		w := newWorld(t, random)
		owner := make(map[string]int) // by the repository in a target
		shards := make([]*Shard, w.count)
		for i := range shards {
			shuffled := slices.Clone(w.lock)
			random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
			shards[i] = New(Part{i, w.count}, w.names, shuffled)
		}
		for _, one := range w.sizes {
			owners := 0
			for i, s := range shards {
				if !s.HasSource(one.Repository) {
					continue
				}
				owners++
				for _, to := range destinations(w, one.Repository) {
					if other, met := owner[to.repository]; met && other != i {
						t.Fatalf("shards %d and %d of %+v write to %s", other, i, w, to.repository)
					}
					owner[to.repository] = i
					if to.path != "" && !s.HasTarget(to.target, to.path) {
						t.Fatalf("%s is in shard %d of a backup and not of a restore: %+v", one.Repository, i, w)
					}
				}
			}
			if owners != 1 {
				t.Fatalf("%s is in %d shards of %+v", one.Repository, owners, w)
			}
		}
		if !New(Part{All, w.count}, w.names, w.lock).HasSource(repository("any.example/a")) || !(*Shard)(nil).HasSource(repository("any.example/a")) {
			t.Fatal("all shards do not have everything")
		}
	}
}

// destination is a repository that a source lands in.
type destination struct {
	repository string
	target     config.Target
	path       string // "" for one that is in no target
}

func destinations(w world, source config.Reference) []destination {
	path := source.Name()
	if w.names.Mapper != nil {
		mapped, _, ok, err := w.names.Mapper.Map(source)
		if err != nil || !ok {
			return nil
		}
		path = mapped
	}
	if len(w.names.Targets) == 0 {
		return []destination{{repository: path}}
	}
	var all []destination
	for _, target := range w.names.Targets {
		all = append(all, destination{"t.example/" + target.Join(path), target, target.Join(path)})
	}
	return all
}

// TestBalance holds that with a lock the largest shard exceeds the mean by at most (1 - 1/N)
// times the largest repository.
func TestBalance(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 5))
	for range 500 {
		w := newWorld(t, random)
		all := New(Part{All, w.count}, w.names, w.sizes)
		shards := make([]int64, w.count)
		for _, one := range w.sizes {
			shards[all.OfSource(one.Repository)] += one.Size
		}
		var total, largest int64
		for _, size := range all.sum(w.sizes) {
			total, largest = total+size, max(largest, size)
		}
		n := int64(w.count)
		if over := n*slices.Max(shards) - total; over > (n-1)*largest {
			t.Fatalf("%d shards: %v, the largest repository has %d", n, shards, largest)
		}
	}
}

// TestSimilarSizes holds that 40 repositories of similar size on four shards take about a quarter each.
func TestSimilarSizes(t *testing.T) {
	var sizes []lockfile.Repository
	for i := range 40 {
		sizes = append(sizes, lockfile.Repository{Repository: repository(fmt.Sprintf("a.example/app-%d", i)), Size: 1000 + int64(i%7)})
	}
	s := New(Part{All, 4}, Names{}, sizes)
	count := make(map[int]int)
	for _, one := range sizes {
		count[s.OfSource(one.Repository)]++
	}
	for i := range 4 {
		if count[i] != 10 {
			t.Errorf("shard %d has %d repositories", i, count[i])
		}
	}
}

// TestHashIsStable holds the assignment without a lock: pods of two releases may share a job.
func TestHashIsStable(t *testing.T) {
	got := make(map[string]int)
	for _, name := range []string{"a.example/app", "ghcr.io/acme/app", "quay.io/team/db", "registry.k8s.io/pause"} {
		got[name] = New(Part{0, 10}, Names{}, nil).OfSource(repository(name))
	}
	want := map[string]int{"a.example/app": 6, "ghcr.io/acme/app": 2, "quay.io/team/db": 1, "registry.k8s.io/pause": 2}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestOneMoreShard holds that with one shard more only names move that move to it, about
// one in N+1.
func TestOneMoreShard(t *testing.T) {
	const names = 10_000
	for count := 1; count < 20; count++ {
		moved := 0
		for i := range names {
			name := fmt.Sprintf("a.example/app-%d", i)
			before, after := hashed(name, count), hashed(name, count+1)
			if before == after {
				continue
			}
			if moved++; after != count {
				t.Fatalf("%s moves from %d to %d of %d", name, before, after, count+1)
			}
		}
		if want := names / (count + 1); moved < want*8/10 || moved > want*12/10 {
			t.Errorf("%d of %d move to the last of %d shards", moved, names, count+1)
		}
	}
}

func TestNest(t *testing.T) {
	target := func(registry, namespace string) config.Target {
		return config.Target{Registry: registry, Namespace: namespace}
	}
	for _, test := range []struct {
		targets []config.Target
		want    bool
	}{
		{nil, false},
		{[]config.Target{target("a.io", "")}, false},
		{[]config.Target{target("a.io", ""), target("b.io", "x")}, false},
		{[]config.Target{target("a.io", "x"), target("a.io", "xy")}, false},
		{[]config.Target{target("a.io", "x"), target("b.io", ""), target("a.io", "x/y")}, true},
		{[]config.Target{target("a.io", "x"), target("A.io", "")}, true},
	} {
		if got := nest(test.targets); got != test.want {
			t.Errorf("%v: %v", test.targets, got)
		}
	}
}

func TestLoads(t *testing.T) {
	l := NewLoads[string](2)
	for _, a := range []struct {
		group      int
		repository string
	}{{0, "a"}, {0, "a"}, {0, "b"}, {1, "a"}} {
		l.AddArtifact(a.group, a.repository)
		l.AddPart(a.group, "shared", 10)
	}
	l.AddPart(1, "own", 5)
	if want := []Load{{2, 3, 10}, {1, 1, 15}}; !slices.Equal(l.All, want) {
		t.Errorf("got %+v, want %+v", l.All, want)
	}
}
