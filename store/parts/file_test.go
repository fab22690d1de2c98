package parts

import (
	"bytes"
	"testing"

	"github.com/opencontainers/go-digest"
)

// FuzzFile: a part.json that is valid is within its limits, and is read as it is written.
func FuzzFile(f *testing.F) {
	set := digest.FromString("set")
	f.Add(File{MediaType: MediaType, Set: set, Part: 1, Parts: 2, Cut: []CutBlob{{set, 3000}}}.Bytes())
	f.Add([]byte(`{"mediaType":"` + MediaType + `","part":1e3,"parts":-1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, ours, err := ReadFile(bytes.NewReader(data))
		if err != nil || !ours {
			return
		}
		if p.Part < 1 || p.Part > p.Parts || p.Parts > Max {
			t.Errorf("%+v is valid", p)
		}
		again, _, err := ReadFile(bytes.NewReader(p.Bytes()))
		if err != nil && len(p.Bytes()) <= maxFile || err == nil && string(again.Bytes()) != string(p.Bytes()) {
			t.Errorf("%+v becomes %+v: %v", p, again, err)
		}
	})
}
