package sync_test

import (
	"fmt"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestShardsOfAPlanInParts compares all shards of a plan whose repositories are in several
// parts with those of the same plan in one.
func TestShardsOfAPlanInParts(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	var repositories []string
	for i := range 4 {
		repository := fmt.Sprint("team/app", i)
		for n := range 5 {
			source.Image(repository, fmt.Sprint("v", n), fmt.Append(nil, i, n))
		}
		repositories = append(repositories, source.Host+"/"+repository)
	}
	to := targets(t, target.Host)
	mapper, err := config.NewMapper(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := shard.New(shard.Part{Index: shard.All, Count: 2}, shard.Names{Mapper: mapper, Targets: to}, nil)
	o := engine.SyncOptions{RestoreOptions: engine.RestoreOptions{Targets: to, Shard: all}}
	counts := func() (loads []shard.Load) {
		f, err := sync.Forecast(t.Context(), clientOf(16), selections(t, true, repositories...), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range f.Shards {
			loads = append(loads, shard.Load{Repositories: l.Repositories, Artifacts: l.Artifacts})
		}
		return loads
	}
	want := counts()
	sync.SetPartSize(t, 3)
	if got := counts(); fmt.Sprint(got) != fmt.Sprint(want) || want[0].Repositories+want[1].Repositories != 4 {
		t.Errorf("in parts: %v, at once: %v", got, want)
	}
}
