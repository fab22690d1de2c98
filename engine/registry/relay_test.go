package registry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestResumeTimeout: a broken body that does not resume in time is an error.
func TestResumeTimeout(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	data := testregistry.Random("blob", 1<<20)
	r.Image("app", "v1", data)
	r.Fault(func(req *http.Request, n int) testregistry.Fault {
		switch {
		case testregistry.Kind(req) != "GET blob":
			return nil
		case n == 1:
			return testregistry.Cut(1000)
		}
		return testregistry.Stall(nil)
	})
	repo, err := registry.New(registry.Options{}).Repository(r.Host, "app")
	if err != nil {
		t.Fatal(err)
	}
	ctx := transport.WithResumeTimeout(t.Context(), 50*time.Millisecond)
	body, err := repo.FetchBlob(ctx, ocispec.Descriptor{Digest: digest.FromBytes(data), Size: int64(len(data))}, 0, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.Copy(io.Discard, body); !errors.Is(err, transport.ErrResumeTimeout) {
		t.Errorf("it ended with %v", err)
	}
}

// TestRelaysInBothDirections: transfers from one registry to another and back, with one slot
// at each, never wait for each other in a circle, and give all slots back.
func TestRelaysInBothDirections(t *testing.T) {
	c := registry.New(registry.Options{Transport: transport.Options{Concurrency: 1}, Settings: func(string) (registry.Settings, error) {
		return registry.Settings{Settings: transport.Settings{Concurrency: 1}}, nil
	}})
	var repos [2]*registry.Repository
	for i, host := range []string{"a.example", "b.example"} {
		var err error
		if repos[i], err = c.Repository(host, "app"); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error)
	for i := range 200 {
		go func() {
			_, release, err := repos[i%2].Relay(context.WithoutCancel(t.Context()), repos[(i/2)%2])
			if err == nil {
				if _, _, ok := repos[i%2].TryRelay(t.Context()); ok {
					err = errors.New("there was another slot")
				}
				release()
			}
			ended <- err
		}()
	}
	for range 200 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if _, release, ok := repos[0].TryRelay(t.Context()); !ok {
		t.Error("a slot was not given back")
	} else {
		release()
	}
}
