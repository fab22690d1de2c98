package restore

import (
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
)

func TestOneIsSingular(t *testing.T) {
	for want, got := range map[string]string{
		"1 manifest":  quantity(1, "manifest"),
		"2 manifests": quantity(2, "manifest"),
		"a.io/b: the only one of its tags, v1, is not selected": (&engine.SelectionError{Reference: "a.io/b", Of: 1, Noun: "tags", Names: []string{"v1"}}).Error(),
		"a.io/b: none of 2 tags is selected":                    (&engine.SelectionError{Reference: "a.io/b", Of: 2, Noun: "tags"}).Error(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
