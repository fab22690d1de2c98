package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

func TestErrorsNameAnArtifactOnce(t *testing.T) {
	const app = "localhost:5000/team/app"
	sum := digest.FromString("x")
	blob := app + "@" + sum.String()
	absent := func(op, reference string) error {
		return &registry.Error{Op: op, Reference: reference, Err: &errcode.ErrorResponse{StatusCode: 404}}
	}
	wrong := &oci.MismatchError{Descriptor: ocispec.Descriptor{Digest: sum, Size: 1}, Size: 1, Digest: digest.FromString("y")}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&ArtifactError{blob, "fetch", absent("fetch", blob)}, blob + ": fetch: 404 not found"},
		{&ArtifactError{blob, "fetch", &ArtifactError{blob, "fetch", absent("fetch", blob)}}, blob + ": fetch: 404 not found"},
		{&ArtifactError{app + ":v1", "walk", absent("fetch", blob)}, app + ":v1: walk: " + sum.String() + ": fetch: 404 not found"},
		{&ArtifactError{app, "select", absent("list tags", app)}, app + ": select: list tags: 404 not found"},
		{&ArtifactError{blob, "fetch", wrong}, blob + ": fetch: the content has the digest " + wrong.Digest.String()},
		{&ArtifactError{blob, "fetch", errors.New("cut")}, blob + ": fetch: cut"},
		{&ArtifactError{app + ":v1", "fetch", absent("fetch", "localhost:5000/other@"+sum.String())}, app + ":v1: fetch: localhost:5000/other@" + sum.String() + ": fetch: 404 not found"},
		{&ReferrersError{app + ":v1", absent("list referrers", blob)}, app + ":v1: referrers: " + sum.String() + ": list referrers: 404 not found"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if strings.Count(test.err.Error(), app) != 1 {
			t.Errorf("%v: not named once", test.err)
		}
		if again := fmt.Errorf("again: %w", test.err); !errors.As(again, new(*ArtifactError)) && !errors.As(again, new(*ReferrersError)) {
			t.Error("the type is lost")
		}
	}
}
