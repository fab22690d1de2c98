package lockfile

import (
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// TestUnpinned compares a spec that has grown with its lock.
func TestUnpinned(t *testing.T) {
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	reference := func(text string) config.Reference {
		r, err := config.ParseReference(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	lock := &Lock{
		Artifacts: []Artifact{
			{Reference: reference("a.example/app:v1")},
			{Reference: reference("a.example/tool@" + digest)},
			{Reference: reference("a.example/charts/web:1.2.3")},
		},
		Pending: []Pending{{Reference: reference("a.example/new:v9")}},
	}
	var got []string
	for _, s := range lock.Unpinned([]config.Selection{
		{Reference: reference("a.example/app:v1")},
		{Reference: reference("a.example/app:v1@" + digest)},
		{Reference: reference("a.example/app")},
		{Reference: reference("a.example/app:v2")},
		{Reference: reference("a.example/tool@" + digest)},
		{Reference: reference("a.example/tool:v1")},
		{Reference: reference("a.example/new")},
		{Reference: reference("a.example/other")},
		{Reference: reference("a.example/other"), Optional: true},
		{Reference: reference("a.example/charts/web"), Chart: &config.Chart{Version: ">=1"}},
		{Registry: "b.example"},
		{Layout: "dir"},
	}) {
		got = append(got, s.Reference.String())
	}
	if want := []string{"a.example/app:v2", "a.example/tool:v1", "a.example/other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
