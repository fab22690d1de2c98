package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The documents here are put together from pieces that are made once: fmt needs
// minutes under the race detector for as many bytes.

// repeated is a document of some size: a head, a piece as often as it fits, an end.
func repeated(size int, head, piece, end string) []byte {
	data := append(make([]byte, 0, size), head...)
	pieces := []byte(strings.Repeat(piece, max(1, 64<<10/len(piece))))
	for len(data)+len(pieces)+len(end) <= size {
		data = append(data, pieces...)
	}
	for len(data)+len(piece)+len(end) <= size {
		data = append(data, piece...)
	}
	return append(data, end...)
}

// pairs are count members of a JSON object, each with a comma.
func pairs(count int) []byte {
	var data []byte
	for i := range count {
		data = append(strconv.AppendInt(append(data, '"'), int64(i), 16), `":"",`...)
	}
	return data
}

var millionPairs = sync.OnceValue(func() []byte { return pairs(1_200_000) })

// hostile are manifests that take far more memory decoded than as text.
func hostile(n int) (mediaType string, data []byte) {
	const size = 16 << 20
	index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"annotations":{"n":"%d"},`, ocispec.MediaTypeImageIndex, n)
	image := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"annotations":{"n":"%d"},`, ocispec.MediaTypeImageManifest, n)
	annotated := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":2},"layers":[],"annotations":{"n":"%d",`,
		ocispec.MediaTypeImageManifest, digest.FromString("{}"), n)
	switch n % 5 {
	case 0:
		return ocispec.MediaTypeImageIndex, repeated(size-5, index+`"manifests":[`, "{},", "{}]}")
	case 1:
		return ocispec.MediaTypeImageManifest, repeated(size-5, image+`"layers":[`, "{},", "{}]}")
	case 2:
		return ocispec.MediaTypeImageManifest, bytes.Join([][]byte{[]byte(annotated), millionPairs(), []byte(`"":""}}`)}, nil)
	case 3: // within all limits but for its length
		return ocispec.MediaTypeImageManifest, repeated(size-100, annotated+`"x":"`, "x", `"}}`)
	default:
		child := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2,"annotations":{"a":%q}}`, ocispec.MediaTypeImageManifest, digest.FromString("absent"), strings.Repeat("y", 1500))
		head := index + `"manifests":[`
		return ocispec.MediaTypeImageIndex, repeated(len(head)+9_000*(len(child)+1)+len(child)+2, head, child+",", child+"]}")
	}
}

// endless is the inside of a JSON list of 127 MiB, of entries that are like no others of
// this and of other lists. It comes in blocks, which differ only in a few digits of
// each entry.
type endless struct {
	block     []byte
	width, at int // of an entry, and where in it the digits begin
}

// newEndless makes one from a format for an entry: of the digits, and of its number in
// its block, which must have as many digits in each.
func newEndless(format string, entries int) endless {
	const digits = "--------"
	var block []byte
	for i := range entries {
		block = fmt.Appendf(block, format, digits, i)
	}
	return endless{block, len(block) / entries, bytes.Index(block, []byte(digits))}
}

// write writes the list of some number, until its reader has heard enough.
func (e endless) write(w http.ResponseWriter, list int64) {
	data := bytes.Clone(e.block)
	for n := 0; n*len(data) < 127<<20; n++ {
		digits := fmt.Sprintf("%04x%04x", list, n)
		for at := e.at; at < len(data); at += e.width {
			copy(data[at:], digits)
		}
		if _, err := w.Write(data); err != nil {
			return
		}
	}
}

var (
	endlessTags      = newEndless(`"t%s%03x",`, 4096)
	endlessNames     = newEndless(`"r%s%03x",`, 4096)
	endlessReferrers = newEndless(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:`+strings.Repeat("0", 48)+`%s%08x","size":2,"annotations":{"a":"`+strings.Repeat("a", 2000)+`"}},`, 30)
	endlessValues    = endless{block: []byte(strings.Repeat("{},", 20_000)), at: 60_000, width: 3}
)

// hostileLists answers every list with one of 127 MiB, of names that are like no
// others, and every manifest with values without end.
func hostileLists(t *testing.T) (host string) {
	t.Helper()
	var lists atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		list := lists.Add(1)
		switch {
		case req.URL.Path == "/v2/":
		case strings.HasSuffix(req.URL.Path, "/list"):
			fmt.Fprint(w, `{"tags":[`)
			endlessTags.write(w, list)
			fmt.Fprint(w, `"end"]}`)
		case strings.HasSuffix(req.URL.Path, "_catalog"):
			fmt.Fprint(w, `{"repositories":[`)
			endlessNames.write(w, list)
			fmt.Fprint(w, `"end"]}`)
		case strings.Contains(req.URL.Path, "/referrers/"):
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			fmt.Fprint(w, `{"schemaVersion":2,"manifests":[`)
			endlessReferrers.write(w, list)
			fmt.Fprint(w, `{}]}`)
		case strings.HasSuffix(req.URL.Path, "/good"):
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[],"annotations":{"of":%q}}`, ocispec.MediaTypeImageIndex, req.URL.Path)
		case strings.HasSuffix(req.URL.Path, "/bad"):
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[`, ocispec.MediaTypeImageIndex)
			endlessValues.write(w, list)
		default:
			http.NotFound(w, req)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}
