package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestRoundTrip takes an image and its signature from one repository to another
// of a strict registry with TLS, HTTP/2 and tokens, with and without the
// referrers API.
func TestRoundTrip(t *testing.T) {
	for name, noAPI := range map[string]bool{"referrers API": false, "fallback tag": true} {
		t.Run(name, func(t *testing.T) {
			reg := testregistry.New(t, testregistry.Options{
				TLS: true, HTTP2: true, Token: true, Username: "me", Password: "secret",
				NoReferrersAPI: noAPI, RequireSubject: true, PageSize: 2,
			})
			image := reg.Image("from/repo", "v1", testregistry.Random("layer", 100_000))
			reg.Referrer("from/repo", image, "application/vnd.example.signature", testregistry.Random("s", 70))
			ca := filepath.Join(t.TempDir(), "ca.pem")
			noError(t, os.WriteFile(ca, reg.CA, 0o600))
			no := false
			o := newClock().options(t)
			o.Settings = func(string) (Settings, error) {
				return Settings{Settings: transport.Settings{PlainHTTP: &no, CAFile: ca, Credential: &auth.Credential{Username: "me", Password: "secret"}}}, nil
			}
			client := New(o)
			from, to := open(t, client, reg.Host, "from/repo"), open(t, client, reg.Host, "to/repo")
			copyManifest(t, from, to, "v1", "v1")
			signatures, err := from.Referrers(t.Context(), image, nil)
			noError(t, err)
			equal(t, "signatures", len(signatures), 1)
			for _, s := range signatures {
				copyManifest(t, from, to, s.Digest.String(), s.Digest.String())
			}
			api, err := to.ReferrersAPI(t.Context())
			noError(t, err)
			equal(t, "has the API", api, !noAPI)
			if !api {
				noError(t, to.ListReferrers(t.Context(), image.Digest, signatures, nil, nil))
			}
			arrived, err := to.Referrers(t.Context(), image, nil)
			noError(t, err)
			equal(t, "signatures that arrived", len(arrived), 1)
			tags, err := listTags(t, to)
			noError(t, err)
			equal(t, "last tag", tags[len(tags)-1], "v1")
		})
	}
}

// copyManifest copies a manifest and its blobs, mounting what can be mounted.
func copyManifest(t *testing.T, from, to *Repository, reference, as string) {
	t.Helper()
	desc, data, err := from.FetchManifest(t.Context(), reference)
	noError(t, err)
	var manifest ocispec.Manifest
	noError(t, json.Unmarshal(data, &manifest))
	for i, b := range append(manifest.Layers, manifest.Config) {
		body, err := from.FetchBlob(t.Context(), b, 0, b.Size)
		noError(t, err)
		content, err := io.ReadAll(body)
		noError(t, err)
		body.Close()
		equal(t, "digest", describeBytes(content).Digest, b.Digest)
		opened := 0
		if i == 0 {
			noError(t, to.PushBlob(t.Context(), b, opener(content, &opened)))
		} else {
			mounted, err := to.MountOrPush(t.Context(), b, from.ref.Repository, opener(content, &opened))
			noError(t, err)
			equal(t, "mounted", mounted, true)
		}
		has, err := to.HasBlob(t.Context(), b)
		noError(t, err)
		equal(t, "has the blob", has, true)
	}
	noError(t, to.PushManifest(t.Context(), desc, data, as))
	_, arrived, err := to.FetchManifest(t.Context(), as)
	noError(t, err)
	equal(t, "same manifest", bytes.Equal(arrived, data), true)
}
