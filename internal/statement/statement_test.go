package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// index returns an index with two artifacts and a referrer, in any order.
func index(order ...int) *oci.Index {
	image := digest.FromString("image")
	all := []oci.Entry{
		{Name: "a.io/b:v1", Digest: image, MediaType: "m", Size: 5},
		{Name: "a.io/b:v2", Digest: digest.SHA512.FromString("other"), MediaType: "m", Size: 5, Platforms: "linux/amd64"},
		{Digest: digest.FromString("signature"), MediaType: "m", Size: 9, ArtifactType: "t", Subject: compact.Of(image)},
	}
	x := new(oci.Index)
	for _, i := range order {
		x.Entries = append(x.Entries, all[i])
	}
	return x
}

func content(t *testing.T, x *oci.Index) *Content {
	t.Helper()
	c, err := Of(x)
	if err != nil {
		t.Fatal(err)
	}
	c.Version = "v1.2.3"
	c.Files = []File{{"bundle.tgz", digest.FromString("file"), 4}}
	return c
}

func written(t *testing.T, c *Content) string {
	t.Helper()
	var b strings.Builder
	if n, err := c.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	return b.String()
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStatement holds that a statement is that of in-toto, the same for any order, and reads back
// as it was written.
func TestStatement(t *testing.T) {
	c := content(t, index(0, 1, 2))
	text := written(t, c)
	if other := written(t, content(t, index(2, 1, 0))); other != text {
		t.Errorf("another order gives\n%s\nand not\n%s", other, text)
	}
	var parsed struct {
		Type    string `json:"_type"`
		Subject []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string `json:"predicateType"`
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := index(0, 1, 2).WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	want := "https://in-toto.io/Statement/v1 https://github.com/oras-mirror/oras-mirror/statement/v1 bundle.tgz index.json a.io/b:v1 a.io/b:v2 " + digest.FromString("signature").String()
	got := parsed.Type + " " + parsed.PredicateType
	for _, s := range parsed.Subject {
		got += " " + s.Name
	}
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if d := parsed.Subject[1].Digest["sha256"]; d != fmt.Sprintf("%x", sha256.Sum256(raw.Bytes())) {
		t.Errorf("index.json has %s", d)
	}
	if d := parsed.Subject[3].Digest["sha512"]; d != digest.SHA512.FromString("other").Encoded() {
		t.Errorf("a sha512 digest is %v", parsed.Subject[3].Digest)
	}
	read, err := Open(file(t, text))
	if err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("got %+v, %v\nwant %+v", read, err, c)
	}
	if all := Compare("s.json", read, c); len(all) > 0 {
		t.Errorf("it differs from itself: %v", all)
	}
	if text := written(t, new(Content)); !json.Valid([]byte(text)) {
		t.Errorf("without content it is\n%s", text)
	}
}

func TestReadFaults(t *testing.T) {
	text := written(t, content(t, index(0, 1, 2)))
	for want, broken := range map[string]string{
		"unexpected EOF":              text[:len(text)/2],
		"text after its end":          text + "{}",
		"subjects differ":             strings.Replace(text, `"reference":"a.io/b:v1"`, `"reference":"a.io/b:v9"`, 1),
		`unexpected key "extra"`:      strings.Replace(text, `"_type"`, `"extra": 1, "_type"`, 1),
		`unexpected key "_type"`:      strings.Replace(text, `"_type"`, `"_type": "`+Type+`", "_type"`, 1),
		`_type is ""`:                 `{"predicateType": "` + PredicateType + `"}`,
		"lock: invalid checksum":      strings.Replace(text, `"files":`, `"lock": {"name": "x", "digest": "md5"}, "files":`, 1),
		"bytes of a value: more":      strings.Replace(text, "v1.2.3", strings.Repeat("x", 3*maxValue), 1),
		"more than 1048576":           text + strings.Repeat(" ", 2*maxValue),
		"EOF":                         "",
		"version: unexpected EOF":     text[:strings.Index(text, `"v1.2.3"`)],
		`_type is "payload"`:          strings.Replace(text, Type, "payload", 1),
		"predicateType is":            strings.Replace(text, PredicateType, "https://slsa.dev/provenance/v1", 1),
		"expected {, got [":           "[]",
		"unknown field":               strings.Replace(text, `"mediaType":"m"`, `"mediaType":"m","more":1`, 1),
		"looking for beginning":       "\x1f\x8b",
		"2 digests of a subject":      strings.Replace(text, `"digest":{`, `"digest":{"md5":"1",`, 1),
		`unexpected key "payloadType`: `{"payloadType":"application/vnd.in-toto+json"}`,
	} {
		_, err := Open(file(t, broken))
		if _, ok := errors.AsType[*FormatError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestOtherSigners holds that signers are compared only where both have the artifact, and only with
// a statement that has any.
func TestOtherSigners(t *testing.T) {
	stated, found := content(t, index(0, 1, 2)), content(t, index(0, 1, 2))
	found.SetSigners("a.io/b:v1", []string{"key A"})
	if all := CompareSigners("s.json", stated, found); len(all) > 0 {
		t.Errorf("a statement without signers: %v", all)
	}
	stated.SetSigners("a.io/b:v1", []string{"key A"})
	stated.SetSigners("a.io/b:v9", []string{"no key of ours"})
	if all := CompareSigners("s.json", stated, found); len(all) > 0 {
		t.Errorf("the same signers: %v", all)
	}
	read, err := Open(file(t, written(t, stated)))
	if err != nil || !reflect.DeepEqual(read, stated) {
		t.Errorf("got %+v, %v\nwant %+v", read, err, stated)
	}
	found.SetSigners("a.io/b:v1", []string{"key A", "key B"})
	found.SetSigners("a.io/b:v2", []string{"key C"})
	var got []string
	for _, err := range CompareSigners("s.json", stated, found) {
		got = append(got, err.Error())
	}
	want := []string{"a.io/b:v1: s.json states that it is signed by key A, found key A, key B", "a.io/b:v2: s.json states that it is signed by none, found key C"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	found.Artifacts[0].Digest, found.Artifacts = digest.FromString("moved"), found.Artifacts[:1]
	if all := CompareSigners("s.json", stated, found); len(all) > 0 {
		t.Errorf("what differs or is missing: %v", all)
	}
}

// TestOtherLock holds that locks are compared if both are known.
func TestOtherLock(t *testing.T) {
	stated, found := content(t, index(0)), content(t, index(0))
	found.Lock = &Lock{"mirror.lock.yaml", digest.FromString("lock")}
	if all := Compare("s.json", stated, found); len(all) > 0 {
		t.Errorf("a statement without a lock: %v", all)
	}
	stated.Lock = &Lock{"other.lock.yaml", found.Lock.Digest}
	read, err := Open(file(t, written(t, stated)))
	if err != nil || len(Compare("s.json", read, found)) > 0 {
		t.Errorf("the same lock: %v", err)
	}
	read.Lock.Digest = digest.FromString("another")
	if all := Compare("s.json", read, found); len(all) != 1 || !strings.HasPrefix(all[0].Error(), "mirror.lock.yaml: changed: s.json states sha256:") {
		t.Errorf("another lock: %v", all)
	}
}

// TestCompare names what is missing, extra and changed.
func TestCompare(t *testing.T) {
	stated, found := content(t, index(0, 1, 2)), content(t, index(0))
	found.Artifacts[0].Digest = digest.FromString("moved")
	found.Artifacts = append(found.Artifacts, Artifact{Reference: "a.io/b:v3", Digest: digest.FromString("new")})
	found.Files = []File{{"bundle.tgz", digest.FromString("changed"), 7}, {"more.tgz", digest.FromString("more"), 4}}
	var got []string
	for _, err := range Compare("s.json", stated, found) {
		got = append(got, strings.Join(strings.SplitN(err.Error(), ": ", 3)[:2], " "))
	}
	want := "bundle.tgz changed, more.tgz extra, index.json changed, a.io/b:v1 changed, a.io/b:v2 missing, a.io/b:v3 extra"
	if all := strings.Join(got, ", "); !strings.HasPrefix(all, want+", sha256") || len(got) != 7 {
		t.Errorf("got  %s\nwant %s, sha256", all, want)
	}
	renamed := content(t, index(0, 1, 2))
	renamed.Files[0].Name = "carried.tgz"
	if all := Compare("s.json", stated, renamed); len(all) > 0 {
		t.Errorf("another name of a file: %v", all)
	}
	renamed.Files = nil
	if all := Compare("s.json", stated, renamed); len(all) > 0 {
		t.Errorf("a directory: %v", all)
	}
}

// TestManyArtifacts holds that a statement of 100,000 artifacts is written without memory of its
// own, and read in few times its size.
func TestManyArtifacts(t *testing.T) {
	c := new(Content)
	c.Index = digest.FromString("index")
	for i := range 100_000 {
		c.Artifacts = append(c.Artifacts, Artifact{Reference: fmt.Sprintf("a.io/team/app:v%06d", i), Digest: c.Index, MediaType: "application/vnd.oci.image.manifest.v1+json"})
	}
	path := filepath.Join(t.TempDir(), "s.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteTo(f); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	read, err := Open(path)
	if err != nil || len(read.Artifacts) != len(c.Artifacts) || len(Compare(path, read, c)) > 0 {
		t.Errorf("%v", err)
	}
}
