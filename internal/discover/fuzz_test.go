package discover

import (
	"slices"
	"strings"
	"testing"
)

// FuzzFind reads any two files, the second as a kustomization of the first. Each image stands in
// its file, and the same files give the same images.
func FuzzFind(f *testing.F) {
	for _, text := range []string{base, "kind: Pod\nspec: {containers: [{image: a:1}]}\n---\n- {op: add, path: /spec/image, value: a/b}\n",
		"a: &a {b: *a}", bomb("[%s]"), "{\"spec\": {\"containers\": [{\"image\": \"a\\/b\"}]}}", "{{ .Values.x }}\n", "\xff\xfea\x00", "%YAML 1.1\n---\na: b\n...\nc"} {
		f.Add([]byte(text), []byte("resources: [a.yaml]\nimages: [{name: app, newTag: v1}]\npatches: [{patch: \"- {op: add}\"}]\n"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		files := []File{{"a.yaml", first}, {"kustomization.yaml", second}}
		found := Find(slices.Values(files))
		for _, i := range found.Images {
			data := files[0].Data
			if i.File != files[0].Name {
				data = files[1].Data
			}
			if i.Line < 1 || i.Line > len(data)+1 { // the parser knows more line ends than \n
				t.Fatalf("%+v is not in %d bytes", i, len(data))
			}
		}
		again := Find(slices.Values(files))
		if a, b := strings.Join(lines(found), "\n"), strings.Join(lines(again), "\n"); a != b {
			t.Fatalf("%s\nand\n%s", a, b)
		}
	})
}
