package console

import (
	"testing"
)

func TestClip(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    string
	}{
		{"short", 10, "short"}, {"a.io/b/c:1.2.3", 6, "…1.2.3"}, {"anything", 1, ""}, {"anything", -5, ""},
		{"目录/镜像", 9, "目录/镜像"}, {"目录/镜像", 8, "…录/镜像"}, {"目录/镜像", 7, "…/镜像"}, {"e\u0301e\u0301e\u0301", 2, "…e\u0301"},
	} {
		got := clip(test.text, test.columns)
		if got != test.want {
			t.Errorf("%q in %d: got %q, want %q", test.text, test.columns, got, test.want)
		}
	}
}
