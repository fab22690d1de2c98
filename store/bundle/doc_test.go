package bundle

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestDocument holds docs/bundle-format.md to the numbers of the code.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/bundle-format.md")
	if err != nil {
		t.Fatal(err)
	}
	document := strings.Join(strings.Fields(string(text)), " ")
	for claim, ok := range map[string]bool{
		"every 1,048,576 bytes":                             memberData == 1048576,
		"at least 34 bytes long and at most 1,053,696":      minMember == 34 && maxMember == 1053696,
		"The very last member is 54 bytes long":             lastLength == 54,
		"at most 4,096 bytes long":                          maxTable == 4096,
		"extra field is at most 4,108 bytes long":           subfield+8+maxTable == 4108,
		"at most 2,000,000 entries":                         maxEntries == 2000000,
		"blocks of 65,535 bytes":                            storedBlock == 65535,
		"2 a sha256 blob, 3 a sha512 blob, 4 a sha384 blob": kindLayout == 0 && kindIndex == 1 && kindSHA256 == 2 && kindSHA512 == 3 && kindSHA384 == 4,
		"5 `part.json`, 6 a piece of a sha256 blob, 7 of a sha512 blob, 8 of a sha384 blob": kindPart == 5 && kindPieceSHA256 == 6 &&
			kindPieceSHA512 == 7 && kindPieceSHA384 == 8,
		"as 19 decimal digits":                  offsetDigits == 19,
		"Its payload has 16":                    lastPayload == 16,
		"a window of at most 128 MiB":           maxZstdWindow == 128<<20,
		"| 16 | 4 | length of the whole member": headerLength == 24,
	} {
		if !ok {
			t.Errorf("the code has other numbers than %q", claim)
		}
		if !strings.Contains(document, claim) {
			t.Errorf("the document does not say %q", claim)
		}
	}
	if p := appendHeader(nil, 1, 1, nil); string(p[:4]) != "\x1f\x8b\x08\x04" || p[9] != 255 {
		t.Errorf("a member begins with %x", p[:10])
	}
}

// TestDocumentReader runs the reader in docs/bundle-format.md.
func TestDocumentReader(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	text, err := os.ReadFile("../../docs/bundle-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(text), "```python\n")
	program, _, _ = strings.Cut(program, "```")
	large, longer := digest.FromString("large"), digest.SHA512.FromString("longer")
	folder := t.TempDir()
	arguments := []string{"-c", program}
	var want strings.Builder
	for i, files := range [][]file{
		append(sample(), file{PartFile, []byte("{}")}, file{PieceName(large, 0), make([]byte, 700)}, file{PieceName(longer, 0), []byte("1")}),
		append(sample(), file{PartFile, []byte("{}")}, file{PieceName(large, 700), make([]byte, 2<<20)}),
	} {
		archive := write(t, Gzip, files)
		path := filepath.Join(folder, fmt.Sprint(i))
		if err := os.WriteFile(path, archive, 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, path)
		want.WriteString(listed(t, archive, files))
	}
	fmt.Fprintln(&want, BlobName(large), 700+(2<<20))
	fmt.Fprintln(&want, BlobName(longer), 1)
	got, err := exec.Command(python, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if string(got) != want.String() {
		t.Errorf("it reads\n%s\nwant\n%s", got, want.String())
	}
}

// listed returns the files of an archive and their sizes, as they follow each other and then
// with their offsets.
func listed(t *testing.T, archive []byte, files []file) string {
	t.Helper()
	a, err := Open(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	sizes := make(map[string]int)
	for _, f := range files {
		fmt.Fprintln(&want, f.name, len(f.data))
		sizes[f.name] = len(f.data)
	}
	for name, offset := range a.Entries() {
		fmt.Fprintln(&want, name, offset, sizes[name])
	}
	return want.String()
}
