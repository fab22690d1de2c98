package oci

import (
	"bytes"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// TestSubjectOfAReferrer is written and read, and survives a run that does not know it.
func TestSubjectOfAReferrer(t *testing.T) {
	subject := digest.FromString("subject")
	e := Entry{MediaType: "m", Digest: digest.FromString("referrer"), Size: 8, Repositories: []string{"a.io/b"}, Subject: compact.Of(subject)}
	var text bytes.Buffer
	x := new(Index)
	x.Put(e)
	if _, err := x.WriteTo(&text); err != nil || !strings.Contains(text.String(), `"io.github.oras-mirror.subject":"`+subject.String()+`"`) {
		t.Fatal(text.String(), err)
	}
	read, err := ReadIndex(strings.NewReader(text.String()))
	if err != nil || read.Entries[0].Subject.Digest() != subject {
		t.Fatal(read, err)
	}
	e.Subject = ""
	if !read.Holds(e) {
		t.Error("an entry without a subject is another one")
	}
	read.Put(e)
	if read.Entries[0].Subject.Digest() != subject {
		t.Error("the subject is lost")
	}

	old := new(Index)
	old.Put(e)
	if e.Subject = compact.Of(subject); !old.Holds(e) {
		t.Error("index.json would be written for the sake of a subject")
	}
}

// TestSubjectThatIsNoDigest is kept as it is.
func TestSubjectThatIsNoDigest(t *testing.T) {
	const text = `{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"annotations":{"io.github.oras-mirror.subject":"other"}}]}`
	x, err := ReadIndex(strings.NewReader(text))
	if err != nil || x.Entries[0].Subject != "" {
		t.Fatal(x, err)
	}
	var out bytes.Buffer
	if _, err := x.WriteTo(&out); err != nil || !strings.Contains(out.String(), `"io.github.oras-mirror.subject":"other"`) {
		t.Error(out.String(), err)
	}
}
