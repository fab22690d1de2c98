package trust

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// edited returns a bundle after a change to its JSON.
func edited(t *testing.T, content []byte, edit func(map[string]any)) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	edit(all)
	return marshal(t, all)
}

func envelope(all map[string]any) map[string]any { return all["dsseEnvelope"].(map[string]any) }

func material(all map[string]any) map[string]any { return all["verificationMaterial"].(map[string]any) }

// TestHostileBundles: no content of a bundle is a signature but the one that was signed, and
// beside a good signature none of them matters.
func TestHostileBundles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		d := s.image.Descriptor.Digest
		good := s.Bundle(t, s.good, testsign.Statement(d), proofs{Log: true, Timestamp: true})
		other := s.Bundle(t, s.good, testsign.Statement(s.another.Descriptor.Digest), proofs{Log: true})
		edit := func(f func(map[string]any)) []byte { return edited(t, good, f) }
		var otherAll map[string]any
		if err := json.Unmarshal(other, &otherAll); err != nil {
			t.Fatal(err)
		}
		hostile := map[string][]byte{
			"empty":      nil,
			"no JSON":    []byte("not JSON"),
			"null":       []byte("null"),
			"list":       []byte("[]"),
			"object":     []byte("{}"),
			"deep":       []byte(strings.Repeat(`{"a":`, 200_000)),
			"deep lists": []byte(`{"verificationMaterial":{"tlogEntries":` + strings.Repeat("[", 500_000)),
			"many keys":  []byte(`{` + strings.Repeat(`"a":1,`, 150_000) + `"b":1}`),
			"two":        append(slices.Clone(good), good...),
			"cut":        good[:len(good)/2],
			"wrong version": edit(func(all map[string]any) {
				all["mediaType"] = "application/vnd.dev.sigstore.bundle.v9.9+json"
			}),
			"no material":  edit(func(all map[string]any) { delete(all, "verificationMaterial") }),
			"no signature": edit(func(all map[string]any) { envelope(all)["signatures"] = []any{} }),
			"a null signature": edit(func(all map[string]any) {
				envelope(all)["signatures"] = []any{nil}
			}),
			"two signatures": edit(func(all map[string]any) {
				envelope(all)["signatures"] = append(envelope(all)["signatures"].([]any), envelope(all)["signatures"].([]any)[0])
			}),
			"signature of another": edit(func(all map[string]any) {
				envelope(all)["signatures"] = envelope(otherAll)["signatures"]
			}),
			"statement of another": edited(t, other, func(all map[string]any) {
				envelope(all)["payload"] = []byte(testsign.Statement(d))
			}),
			"another payload type": edit(func(all map[string]any) { envelope(all)["payloadType"] = "text/plain" }),
			"certificate of another": edit(func(all map[string]any) {
				material(all)["certificate"] = map[string]any{"rawBytes": s.evil.Certificate.Raw}
			}),
			"no certificate": edit(func(all map[string]any) {
				material(all)["certificate"] = map[string]any{"rawBytes": []byte("x")}
			}),
			"a chain": edit(func(all map[string]any) {
				delete(material(all), "certificate")
				material(all)["x509CertificateChain"] = map[string]any{"certificates": slices.Repeat([]any{map[string]any{"rawBytes": s.good.Certificate.Raw}}, 500)}
			}),
			"many log entries": edit(func(all map[string]any) {
				material(all)["tlogEntries"] = slices.Repeat(material(all)["tlogEntries"].([]any), 100)
			}),
			"the same log entry twice": edit(func(all map[string]any) {
				material(all)["tlogEntries"] = slices.Repeat(material(all)["tlogEntries"].([]any), 2)
			}),
			"log entry of another": edit(func(all map[string]any) {
				material(all)["tlogEntries"] = material(otherAll)["tlogEntries"]
			}),
			"a null log entry": edit(func(all map[string]any) { material(all)["tlogEntries"] = []any{nil} }),
			"a log entry without body": edit(func(all map[string]any) {
				material(all)["tlogEntries"].([]any)[0].(map[string]any)["canonicalizedBody"] = []byte(`{"kind":"dsse","apiVersion":"0.0.1","spec":{}}`)
			}),
			"another time in the log": edit(func(all map[string]any) {
				material(all)["tlogEntries"].([]any)[0].(map[string]any)["integratedTime"] = "946685100"
			}),
			"many timestamps": edit(func(all map[string]any) {
				data := material(all)["timestampVerificationData"].(map[string]any)
				data["rfc3161Timestamps"] = slices.Repeat(data["rfc3161Timestamps"].([]any), 40)
			}),
		}
		policies := map[string]engine.Policy{
			"identity": load(t, s.identityPolicy(rootOf{})),
			"key":      load(t, s.keyPolicy()),
		}
		for _, name := range slices.Sorted(maps.Keys(hostile)) {
			for kind, policy := range policies {
				signedBy, err := judge(t, policy, s.image, bundleArtifact(t, hostile[name]))
				if signedBy != nil || !sameKind(err, &engine.UntrustedError{}) {
					t.Errorf("%s, %s: signed by %q, %v", name, kind, signedBy, err)
				}
				if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("%s, %s: %q", name, kind, err)
				}
			}
			signedBy, err := judge(t, policies["identity"], s.image, bundleArtifact(t, hostile[name]), bundleArtifact(t, good))
			if !slices.Equal(signedBy, s.goodSigner()) {
				t.Errorf("%s beside a good one: signed by %q, %v", name, signedBy, err)
			}
		}
	})
}

// TestHostileTags is TestHostileBundles for the tags of cosign.
func TestHostileTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		good := s.layerOf(s.good, s.image, testRepository, proofs{Log: true, Timestamp: true})
		other := s.layerOf(s.good, s.another, testRepository, proofs{Log: true, Timestamp: true})
		evil := s.layerOf(s.evil, s.image, testRepository, proofs{Log: true})
		with := func(key, value string) testLayer {
			annotations := maps.Clone(good.annotations)
			annotations[key] = value
			return testLayer{good.payload, annotations}
		}
		hostile := map[string]testLayer{
			"no annotations":          {good.payload, nil},
			"empty payload":           {"", good.annotations},
			"another payload":         {other.payload, good.annotations},
			"payload with a space":    {good.payload + " ", good.annotations},
			"deep payload":            {strings.Repeat(`{"critical":`, 80_000), good.annotations},
			"type of another payload": {strings.Replace(good.payload, payloadType, "atomic container signature", 1), good.annotations},
			"signature of another":    {good.payload, other.annotations},
			"no base64":               with(signatureKey, "%"),
			"empty signature":         with(signatureKey, ""),
			"certificate of another":  with(certificateKey, evil.annotations[certificateKey]),
			"log entry of another":    with(logKey, other.annotations[logKey]),
			"log entry is no JSON":    with(logKey, "{"),
			"log entry is null":       with(logKey, "null"),
			"log entry without body":  with(logKey, `{"Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}`),
			"a large log entry":       with(logKey, `{"Payload":{"body":"`+strings.Repeat("A", 1<<20)+`"}}`),
			"log entry of the future": with(logKey, strings.Replace(good.annotations[logKey], `"integratedTime":9466`, `"integratedTime":9999`, 1)),
			"no certificate":          with(certificateKey, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
			"many certificates":       with(certificateKey, strings.Repeat(good.annotations[certificateKey], 500)),
			"a huge chain":            with(chainKey, strings.Repeat(good.annotations[certificateKey], 500)),
			"no chain":                with(chainKey, "x"),
		}
		policy := load(t, s.identityPolicy(rootOf{}))
		for _, name := range slices.Sorted(maps.Keys(hostile)) {
			signedBy, err := judge(t, policy, s.image, tagArtifact(t, hostile[name]))
			if signedBy != nil || !sameKind(err, &engine.UntrustedError{}) {
				t.Errorf("%s: signed by %q, %v", name, signedBy, err)
			}
			if signedBy, err = judge(t, policy, s.image, tagArtifact(t, hostile[name], good)); !slices.Equal(signedBy, s.goodSigner()) {
				t.Errorf("%s beside a good one: signed by %q, %v", name, signedBy, err)
			}
		}
		timestamp := with(timestampKey, "null")
		delete(timestamp.annotations, logKey)
		if signedBy, err := judge(t, policy, s.image, tagArtifact(t, timestamp)); !sameKind(err, &TimeError{}) {
			t.Errorf("null as a timestamp: signed by %q, %v", signedBy, err)
		}
	})
}

// TestPayloadOfAnotherType: a key that also signs other things signs no artifact with them.
func TestPayloadOfAnotherType(t *testing.T) {
	s := newScene(t)
	payload := strings.Replace(testsign.Payload(s.image.Descriptor.Digest, testRepository), payloadType, "atomic container signature", 1)
	signedBy, err := judge(t, load(t, s.keyPolicy()), s.image, tagArtifact(t, testLayer{payload, s.Annotations(t, s.key, payload, proofs{})}))
	if signedBy != nil || !sameKind(err, &FormatError{}) {
		t.Errorf("signed by %q, %v", signedBy, err)
	}
}

// TestMessageSignature: a bundle that signs the bytes of a manifest as a file is no signature.
func TestMessageSignature(t *testing.T) {
	s := newScene(t)
	const content = "an image"
	sum := sha256.Sum256([]byte(content))
	bundle := marshal(t, map[string]any{
		"mediaType":            testsign.BundleType,
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "any"}},
		"messageSignature": map[string]any{
			"messageDigest": map[string]any{"algorithm": "SHA2_256", "digest": sum[:]}, "signature": testsign.Sign(t, s.key.Key, []byte(content)),
		},
	})
	if signedBy, err := judge(t, load(t, s.keyPolicy()), s.image, bundleArtifact(t, bundle)); signedBy != nil || !sameKind(err, &FormatError{}) {
		t.Errorf("signed by %q, %v", signedBy, err)
	}
}

// TestKeysNeedNoProofs: a key that signed is good, whatever else the signature has.
func TestKeysNeedNoProofs(t *testing.T) {
	s := newScene(t)
	l := s.layerOf(s.key, s.image, testRepository, proofs{})
	for _, key := range []string{certificateKey, chainKey, logKey, timestampKey} {
		l.annotations[key] = "not what belongs there"
	}
	signedBy, err := judge(t, load(t, s.keyPolicy()), s.image, tagArtifact(t, l))
	if !slices.Equal(signedBy, s.keySigner()) {
		t.Errorf("signed by %q, %v", signedBy, err)
	}
}
