package stories

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// key NAME makes a key, and writes its public half to NAME.pub.
func (w *world) key(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	ts.Check(err)
	w.keys[args[0]] = key
	ts.Setenv(args[0]+"_LINE", fmt.Sprintf("cosign key SHA256:%x", sha256.Sum256(der)))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
}

// sign NAME REPOSITORY:TAG KEY [tag] signs an image as cosign does with a key: as a referrer, or
// under the tag of cosign.
func (w *world) sign(ts *testscript.TestScript, _ bool, args []string) {
	r, key := w.named(ts, args[0]), w.keys[args[2]]
	repo, _, _ := strings.Cut(args[1], ":")
	image, ok := w.images[args[0]+"/"+args[1]]
	if !ok || key == nil {
		ts.Fatalf("no image %s or no key %s", args[1], args[2])
	}
	payload := fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":%q},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, repo, image.Digest)
	sum := sha256.Sum256(payload)
	signature, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	ts.Check(err)
	layer := ocispec.Descriptor{MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Digest: digest.FromBytes(payload), Size: int64(len(payload)),
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)}}
	config := ocispec.DescriptorEmptyJSON
	r.PutBlob(repo, layer, payload)
	r.PutBlob(repo, config, config.Data)
	config.Data = nil
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{layer}}
	name := ""
	if len(args) > 3 {
		name = cosign.Tag(image.Digest, cosign.Signature)
	} else {
		m.ArtifactType, m.Subject = "application/vnd.dev.cosign.artifact.sig.v1+json", &image
	}
	r.Manifest(repo, name, m.MediaType, m)
}
