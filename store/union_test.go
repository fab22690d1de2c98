package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// indexWith returns an index with the given entries: the digest of the value under each name.
func indexWith(names map[string]string, bases ...digest.Digest) *oci.Index {
	x := new(oci.Index)
	for name, content := range names {
		x.Put(oci.Entry{MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: digest.FromString(content), Size: int64(len(content)), Name: name, Referrers: oci.ReferrersAll})
	}
	for _, base := range bases {
		if before := x.Annotations[oci.AnnotationBase]; before != "" {
			base = digest.Digest(before) + "," + base
		}
		x.Annotate(map[string]string{oci.AnnotationBase: string(base)})
	}
	return x
}

// indexOnly is a layout without blobs.
type indexOnly struct {
	folder
}

func unite(t *testing.T, order []int, all []*oci.Index) (*Union, error) {
	t.Helper()
	var members []Member
	for _, i := range order {
		members = append(members, Member{Path: string(rune('a' + i)), Layout: &indexOnly{folder{path: "absent", index: all[i].Snapshot()}}})
	}
	return Unite(members)
}

const app, tool = "example.com/app:v1", "example.com/tool:v1"

func TestUnionUnitesByLineage(t *testing.T) {
	base := indexWith(map[string]string{app: "1", tool: "1"})
	moved := indexWith(map[string]string{app: "2"}, base.RootsDigest(nil))
	later := indexWith(map[string]string{app: "3"}, moved.RootsDigest(nil))
	sibling := indexWith(map[string]string{tool: "1", app: "2"}, base.RootsDigest(nil))
	unchanged := indexWith(map[string]string{app: "1", tool: "1"}, base.RootsDigest(nil))
	narrow := indexWith(map[string]string{app: "2"}, indexWith(map[string]string{app: "1"}).RootsDigest(nil))
	wide := indexWith(map[string]string{app: "1", "example.com/gone:v1": "1"})
	other := indexWith(map[string]string{"example.com/other:v1": "1"})
	orphan := indexWith(map[string]string{app: "2"}, digest.FromString("elsewhere"))
	for _, tt := range []struct {
		name string
		all  []*oci.Index
		want map[string]string
		base string
	}{
		{"a delta replaces its base", []*oci.Index{base, moved}, map[string]string{app: "2"}, ""},
		{"deltas of deltas", []*oci.Index{base, moved, later}, map[string]string{app: "3"}, ""},
		{"a gap at the bottom", []*oci.Index{moved, later}, map[string]string{app: "3"}, string(base.RootsDigest(nil))},
		{"two deltas of one base", []*oci.Index{base, moved, sibling}, map[string]string{app: "2", tool: "1"}, ""},
		{"a delta with the roots of its base", []*oci.Index{base, unchanged}, map[string]string{app: "1", tool: "1"}, ""},
		{"two of them", []*oci.Index{base, unchanged, unchanged}, map[string]string{app: "1", tool: "1"}, ""},
		{"a registry as the base", []*oci.Index{wide, base, narrow}, map[string]string{app: "2"}, ""},
		{"an empty base", []*oci.Index{other, indexWith(nil, delta.NoRoots)}, map[string]string{"example.com/other:v1": "1"}, ""},
		{"strangers", []*oci.Index{base, other}, map[string]string{app: "1", tool: "1", "example.com/other:v1": "1"}, ""},
		{"a delta without its base", []*oci.Index{other, orphan}, map[string]string{app: "2", "example.com/other:v1": "1"}, digest.FromString("elsewhere").String()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for order := range permutations(len(tt.all)) {
				u, err := unite(t, order, tt.all)
				if err != nil {
					t.Fatal(order, err)
				}
				if got := u.Index().RootsDigest(nil); got != indexWith(tt.want).RootsDigest(nil) {
					t.Errorf("%v: the entries are %+v", order, u.Index().Entries)
				}
				if got := u.Index().Annotations[oci.AnnotationBase]; got != tt.base {
					t.Errorf("%v: the base is %q", order, got)
				}
			}
		})
	}
}

// permutations yields all orders of n numbers.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		var each func(k int) bool
		each = func(k int) bool {
			if k == n {
				return yield(slices.Clone(order))
			}
			for i := k; i < n; i++ {
				order[k], order[i] = order[i], order[k]
				if !each(k + 1) {
					return false
				}
				order[k], order[i] = order[i], order[k]
			}
			return true
		}
		each(0)
	}
}

func TestUnionRefusesANameWithTwoDigests(t *testing.T) {
	a, b := indexWith(map[string]string{app: "1"}), indexWith(map[string]string{app: "2"})
	_, err := unite(t, []int{0, 1}, []*oci.Index{a, b})
	clash, ok := errors.AsType[*ClashError](err)
	if !ok || clash.Name != app || clash.Inputs != [2]string{"a", "b"} || clash.Digests != [2]digest.Digest{digest.FromString("1"), digest.FromString("2")} {
		t.Error(err)
	}
}

// TestUnionNamesTheBaseThatIsAbsentBetweenTwo: a delta in the middle of three would tell which of
// two artifacts is the later one.
func TestUnionNamesTheBaseThatIsAbsentBetweenTwo(t *testing.T) {
	named := func(x *oci.Index, name string) *oci.Index {
		x.Annotate(map[string]string{oci.AnnotationBaseName: name})
		return x
	}
	base := indexWith(map[string]string{app: "1"})
	second := named(indexWith(map[string]string{app: "2"}, base.RootsDigest(nil)), "base.tgz")
	third := named(indexWith(map[string]string{app: "3"}, second.RootsDigest(nil)), "second.tgz")
	fourth := named(indexWith(map[string]string{app: "4"}, third.RootsDigest(nil)), "third.tgz")
	sibling := named(indexWith(map[string]string{app: "5"}, base.RootsDigest(nil)), "base.tgz")
	for _, tt := range []struct {
		name string
		all  []*oci.Index
		want []OrphanError
	}{
		{"the second of three", []*oci.Index{base, third}, []OrphanError{{"b", "second.tgz"}}},
		{"the second of four", []*oci.Index{base, third, fourth}, []OrphanError{{"b", "second.tgz"}}},
		{"the base and the third of four", []*oci.Index{second, fourth}, []OrphanError{{"a", "base.tgz"}, {"b", "third.tgz"}}},
		{"two deltas of a base", []*oci.Index{base, second, sibling}, nil},
		{"two deltas of an absent base", []*oci.Index{second, sibling}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for order := range permutations(len(tt.all)) {
				_, err := unite(t, order, tt.all)
				clash, ok := errors.AsType[*ClashError](err)
				if !ok {
					t.Fatal(order, err)
				}
				var got []OrphanError
				for _, gap := range clash.Gaps {
					got = append(got, *gap)
				}
				slices.SortFunc(got, func(a, b OrphanError) int { return strings.Compare(a.Delta, b.Delta) })
				if !slices.Equal(got, tt.want) {
					t.Errorf("%v: the gaps are %v", order, got)
				}
			}
		})
	}
}

func TestUnionUnitesWhatTwoLayoutsHaveOfAnArtifact(t *testing.T) {
	one := func(platforms, referrers string) *oci.Index {
		x := indexWith(map[string]string{app: "1"})
		x.Entries[0].Platforms, x.Entries[0].Referrers = platforms, referrers
		return x
	}
	for _, tt := range []struct{ a, b, want *oci.Index }{
		{one("linux/amd64", oci.ReferrersAll), one("linux/arm64", oci.ReferrersAll), one("linux/amd64,linux/arm64", oci.ReferrersAll)},
		{one("linux/amd64", oci.ReferrersNone), one("", oci.ReferrersAll), one("", oci.ReferrersAll)},
		{one("", oci.ReferrersIncomplete), one("", oci.ReferrersAll), one("", oci.ReferrersIncomplete)},
	} {
		for order := range permutations(2) {
			u, err := unite(t, order, []*oci.Index{tt.a, tt.b})
			if err != nil {
				t.Fatal(err)
			}
			if !u.Index().Holds(tt.want.Entries[0]) {
				t.Errorf("%+v, expected %+v", u.Index().Entries[0], tt.want.Entries[0])
			}
		}
	}
}

func TestUnionForgetsWhatIsNoLongerMissing(t *testing.T) {
	a, b := indexWith(map[string]string{app: "1"}), indexWith(map[string]string{tool: "1"})
	a.Annotations = map[string]string{oci.AnnotationMissing: tool + ",example.com/gone:v1"}
	u, err := unite(t, []int{0, 1}, []*oci.Index{a, b})
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Index().Annotations[oci.AnnotationMissing]; got != "example.com/gone:v1" {
		t.Error(got)
	}
}

// TestUnionUsesTheGoodCopy reads every blob of two layouts. Each has another half
// of them damaged.
func TestUnionUsesTheGoodCopy(t *testing.T) {
	s := newSample(t)
	one, other := s.directory(t), s.directory(t)
	for i, b := range s.all() {
		path := []string{one, other}[i%2]
		data := append(bytes.Clone(b.data), 'x')
		if i%4 > 1 && len(b.data) > 0 { // the right size
			data = bytes.Repeat([]byte("x"), len(b.data))
		}
		writeFile(t, filepath.Join(path, "blobs", "sha256", b.desc.Digest.Encoded()), data)
	}
	u, err := Unite([]Member{{one, openLayoutAt(t, one, OpenOptions{})}, {other, openLayoutAt(t, other, OpenOptions{})}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range s.all() {
		if size, err := u.Stat(b.desc.Digest); err != nil || size != b.desc.Size {
			t.Errorf("Stat = %d, %v", size, err)
		}
		checkBlob(t, u, b)
	}
	for _, m := range s.manifests {
		if data, err := ReadManifest(u, m.desc); err != nil || !bytes.Equal(data, m.data) {
			t.Error(err)
		}
	}
	if v, err := Verify(t.Context(), u, verify.Options{}); err != nil || len(v.Faults) > 0 || v.LeftOver > 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func checkBlob(t *testing.T, u *Union, b item) {
	t.Helper()
	blob, err := u.Open(b.desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if data, err := io.ReadAll(blob); err != nil || !bytes.Equal(data, b.data) {
		t.Errorf("%s: %v", b.desc.Digest, err)
	}
	if len(b.data) < 2 {
		return
	}
	part, err := u.OpenPart(b.desc.Digest, 1, int64(len(b.data)-2))
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	if data, err := io.ReadAll(part); err != nil || !bytes.Equal(data, b.data[1:len(b.data)-1]) || part.Size() != b.desc.Size {
		t.Errorf("a part of %s: %v", b.desc.Digest, err)
	}
	random, err := u.OpenRandom(b.desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer random.Close()
	var out bytes.Buffer
	if err := random.WriteRange(&out, 0, random.Size()); err != nil || !bytes.Equal(out.Bytes(), b.data) {
		t.Error(err)
	}
}

func TestOneInputIsNoUnion(t *testing.T) {
	path := newSample(t).directory(t)
	l, err := OpenUnion([]string{path}, func(path string) (Layout, error) { return OpenLayout(path, OpenOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, is := l.(*Union); is {
		t.Error("a single layout is opened as a union")
	}
}

func TestUnionOfAnInputThatIsNotThere(t *testing.T) {
	path := newSample(t).directory(t)
	absent := filepath.Join(t.TempDir(), "absent")
	_, err := OpenUnion([]string{path, absent}, func(path string) (Layout, error) { return OpenLayout(path, OpenOptions{}) })
	if in, ok := errors.AsType[*InputError](err); !ok || in.Path != absent || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
