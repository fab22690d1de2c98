package bundle

import (
	"bytes"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestSharedDirectory reads archives that begin alike, with one directory for what they have in
// common.
func TestSharedDirectory(t *testing.T) {
	for _, c := range []Compression{Gzip, None} {
		files := sample()
		again := file{files[3].name, []byte("another copy")}
		for name, other := range map[string][]file{
			"the same":         files,
			"a longer one":     append(sample(), blobFile([]byte("more"))),
			"a shorter one":    files[:4],
			"another end":      append(sample()[:4], file{PartFile, []byte("x")}, file{PieceName(digest.FromString("x"), 7), []byte("y")}),
			"a second copy":    append(sample()[:5], again, file{IndexFile, []byte("{}")}),
			"another one":      {{LayoutFile, []byte("{ }")}, {IndexFile, []byte("{}")}, blobFile([]byte("z"))},
			"an entry that is": {files[0], again, files[2]},
		} {
			first, second := open(t, write(t, c, files)), write(t, c, other)
			want, shared := open(t, second), open(t, second)
			shared.ShareHead(first)
			names := func(a *Reader) (all []string) {
				for name := range a.Entries() {
					all = append(all, name)
				}
				return all
			}
			if got, all := names(shared), names(want); len(got) != len(all) {
				t.Fatalf("%s: %q, want %q", name, got, all)
			}
			for entry, at := range want.Entries() {
				if got, want := shared.Copies(entry), want.Copies(entry); got != want {
					t.Errorf("%s: %d copies of %s, want %d", name, got, entry, want)
				}
				if got, want := shared.endOf(at), want.endOf(at); got != want {
					t.Errorf("%s: %s ends at %d, want %d", name, entry, got, want)
				}
				for skip := range want.Copies(entry) {
					if got, want := contentOf(t, shared, entry, skip), contentOf(t, want, entry, skip); !bytes.Equal(got, want) {
						t.Errorf("%s: %s without the last %d has %d bytes, want %d", name, entry, skip, len(got), len(want))
					}
				}
			}
		}
	}
}

func contentOf(t *testing.T, a *Reader, name string, skip int) []byte {
	t.Helper()
	e, err := a.OpenOlder(name, skip)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var b bytes.Buffer
	if _, err := e.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
