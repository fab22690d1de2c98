package engine_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
	"github.com/oras-mirror/oras-mirror/internal/trust"
)

// signedBadly puts manifests beside an image, as referrers, each with signatures that no key made.
func signedBadly(r *testregistry.Registry, image ocispec.Descriptor, manifests, each int) {
	payload := testsign.Payload(image.Digest, origin)
	for i := range manifests {
		layers := make([]testsign.Layer, each)
		for k := range layers {
			layers[k] = testsign.Layer{MediaType: testsign.PayloadType, Content: []byte(payload), Annotations: map[string]string{
				"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(fmt.Append(nil, i, k)),
			}}
		}
		asReferrer.put(r, "app", image, layers...)
	}
}

// refusedLock makes a lock of app:v1 under a policy, and returns the error.
func refusedLock(t *testing.T, r *testregistry.Registry, key signerKey) error {
	t.Helper()
	f, err := backup.Forecast(t.Context(), client(0), selections(t, r.Host+"/app:v1"), backup.Output{}, engine.BackupOptions{Trust: trusting(t, key.policy("**"))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Lock()
	return err
}

// TestManySignatures: all are looked at, up to a limit, and the reason is short.
func TestManySignatures(t *testing.T) {
	r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
	image := r.Image("app", "v1", []byte("layer"))
	const most = 10_000
	signedBadly(r, image, 10, most/10)
	before := memory().HeapAlloc
	err := refusedLock(t, r, key)
	untrusted, is := errors.AsType[*engine.UntrustedError](err)
	if !is || len(untrusted.Refusals) != most || len(err.Error()) > 2000 || !strings.Contains(err.Error(), "and 5 more") {
		t.Errorf("%d bytes: %.300v", len(fmt.Sprint(err)), err)
	}
	if now := memory().HeapAlloc; now > before+64<<20 {
		t.Errorf("%d bytes of memory, %d before", now, before)
	}
	if n := r.Count("GET blob"); n > 10 {
		t.Errorf("%d blobs were fetched", n)
	}
}

// TestLargeSignatures: what a registry writes into annotations is kept up to a limit, and the
// others are not decoded for nothing.
func TestLargeSignatures(t *testing.T) {
	r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
	image := r.Image("app", "v1", []byte("layer"))
	large := testsign.Layer{MediaType: testsign.PayloadType, Content: []byte(testsign.Payload(image.Digest, origin)),
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": strings.Repeat("A", 64<<10)}}
	for i := range 10 { // 3 MiB each
		layers := slices.Repeat([]testsign.Layer{large}, 48)
		layers[0].Annotations = map[string]string{"i": fmt.Sprint(i)}
		asReferrer.put(r, "app", image, layers...)
	}
	err := refusedLock(t, r, key)
	limit, is := errors.AsType[*bounds.Error](err)
	if !is || !strings.Contains(limit.What, "signatures of one manifest") || len(err.Error()) > 2000 {
		t.Errorf("%.2000v", err)
	}
}

// watched is a policy that counts the large manifests at which it looks side by side.
type watched struct {
	engine.Policy
	now, most, all atomic.Int32
}

func (w *watched) Candidate(desc ocispec.Descriptor, manifest []byte) (engine.Candidate, bool) {
	if len(manifest) > 512<<10 {
		w.all.Add(1)
		w.most.Store(max(w.most.Load(), w.now.Add(1)))
		defer w.now.Add(-1)
	}
	return w.Policy.Candidate(desc, manifest)
}

// oneTrust has one policy for all repositories.
type oneTrust struct{ one engine.Policy }

func (o oneTrust) Policy(string) engine.Policy { return o.one }

// TestLargeManifestsOfSignatures are in memory one at a time, however many a registry lists.
func TestLargeManifestsOfSignatures(t *testing.T) {
	r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
	image := r.Image("app", "v1", []byte("layer"))
	for i := range 10 {
		layer := testsign.Layer{MediaType: testsign.PayloadType, Content: []byte("{}")}
		layer.Annotations = map[string]string{"i": fmt.Sprint(i)}
		layers := slices.Repeat([]testsign.Layer{layer}, 3500)
		asReferrer.put(r, "app", image, layers...)
	}
	w := &watched{Policy: trusting(t, key.policy("**")).Policy(r.Host + "/app")}
	_, err := backup.Forecast(t.Context(), client(0), selections(t, r.Host+"/app:v1"), backup.Output{}, engine.BackupOptions{Trust: oneTrust{w}})
	if err != nil || w.all.Load() != 10 || w.most.Load() != 1 {
		t.Errorf("%d manifests, %d at once, %v", w.all.Load(), w.most.Load(), err)
	}
}

// TestGoodSignatureAmongMany is found.
func TestGoodSignatureAmongMany(t *testing.T) {
	r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
	image := r.Image("app", "v1", []byte("layer"))
	signedBadly(r, image, 500, 1)
	key.sign(r, "app", image, asBundle)
	f, err := backup.Forecast(t.Context(), client(0), selections(t, r.Host+"/app:v1"), backup.Output{}, engine.BackupOptions{Trust: trusting(t, key.policy("**"))})
	if err != nil || f.Artifacts[0].Err != nil || !slices.Equal(f.Artifacts[0].SignedBy, []string{key.line()}) {
		t.Errorf("%v, %+v", err, f)
	}
}

// TestTooManySignatures: a list beyond the limit is an error that names it, before a manifest of
// it is fetched.
func TestTooManySignatures(t *testing.T) {
	r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
	image := r.Image("app", "v1", []byte("layer"))
	lists := 0
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "GET referrers" || !strings.Contains(req.URL.Path, image.Digest.String()) {
			return nil
		}
		lists++
		return referrersWithoutEnd(lists)
	})
	err := refusedLock(t, r, key)
	if err == nil || !strings.Contains(err.Error(), "app:v1: verify: not signed; a signature may be missing: ") || !strings.Contains(err.Error(), "more than 10000 referrers") {
		t.Errorf("%v", err)
	}
	if lists > 1000 || r.Count("GET blob") > 0 || r.Count("GET manifest") > 1 {
		t.Errorf("%d lists, %v", lists, r.Counts())
	}
}

// referrersWithoutEnd answers with a page of signatures, and a link to the next one.
func referrersWithoutEnd(page int) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
			for i := range 500 {
				index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest,
					ArtifactType: testsign.BundleType, Digest: digest.FromString(fmt.Sprint(page, i)), Size: 500})
			}
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, req.URL.Path, page+1))
			_ = json.NewEncoder(w).Encode(index) // the client may have enough
		})
	}
}

// TestHostileSignatures: whatever a signature is, the artifact fails with a reason, or passes by
// the good one beside it.
func TestHostileSignatures(t *testing.T) {
	endless := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for junk := bytes.Repeat([]byte("x"), 1<<16); ; {
				if _, err := w.Write(junk); err != nil {
					return
				}
			}
		})
	}
	manifest := func(change func(*ocispec.Manifest)) func(*stage, ocispec.Descriptor) {
		return func(s *stage, image ocispec.Descriptor) {
			layer := s.other.layer(image.Digest, asReferrer)
			s.r.PutBlob("app", layer.Descriptor(), layer.Content)
			s.r.PutBlob("app", ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
			m := testsign.Manifest(layer)
			m.Subject = &image
			change(&m)
			s.r.Manifest("app", "", m.MediaType, m)
		}
	}
	for name, hostile := range map[string]struct {
		put  func(s *stage, image ocispec.Descriptor)
		want func(error) bool
	}{
		"endless blob": {func(s *stage, image ocispec.Descriptor) {
			blob := s.other.layer(image.Digest, asReferrer).Descriptor().Digest.String()
			s.other.sign(s.r, "app", image, asReferrer)
			s.r.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if testregistry.Kind(req) == "GET blob" && strings.HasSuffix(req.URL.Path, blob) {
					return endless
				}
				return nil
			})
		}, isError[*trust.ReadError]},
		"many layers":             {manifest(func(m *ocispec.Manifest) { m.Layers = slices.Repeat(m.Layers, 1001) }), isError[*bounds.Error]},
		"a size that is huge":     {manifest(func(m *ocispec.Manifest) { m.Layers[0].Size = 1 << 50 }), isError[*bounds.Error]},
		"a size that is negative": {manifest(func(m *ocispec.Manifest) { m.Layers[0].Size = -1 }), func(err error) bool { return err != nil }},
		"a digest that is none":   {manifest(func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../etc" }), func(err error) bool { return err != nil }},
		"deep JSON": {func(s *stage, image ocispec.Descriptor) {
			asBundle.put(s.r, "app", image, testsign.BundleLayer([]byte(strings.Repeat(`{"a":`, 200_000))))
		}, isError[*trust.FormatError]},
		"its own signature": {func(s *stage, image ocispec.Descriptor) {
			asTag.put(s.r, "app", image, s.other.layer(image.Digest, asTag))
			signature := asReferrer.put(s.r, "app", image, s.other.layer(image.Digest, asReferrer))
			again := asReferrer.put(s.r, "app", signature, s.other.layer(signature.Digest, asReferrer))
			asTag.put(s.r, "app", again, s.other.layer(signature.Digest, asTag))
		}, is(trust.ErrOtherKey)},
		"the image is its signature": {func(s *stage, image ocispec.Descriptor) {
			putList(s.r, image, image)
		}, isError[*engine.UnsignedError]},
	} {
		for _, noAPI := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", API ", !noAPI), func(t *testing.T) {
				s := &stage{t: t, r: testregistry.New(t, testregistry.Options{NoReferrersAPI: noAPI}), key: newSigner(t), other: newSigner(t)}
				image := s.app()
				hostile.put(s, image)
				if err := refusedLock(t, s.r, s.key); !hostile.want(err) || len(err.Error()) > 2000 {
					t.Errorf("%.2000v", err)
				}
			})
		}
	}
}
