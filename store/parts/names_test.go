package parts

import "testing"

func TestPath(t *testing.T) {
	for path, want := range map[string][2]string{
		"bundle.tgz":       {"bundle.007.tgz", "bundle.*.tgz"},
		"a.b/bundle.tar":   {"a.b/bundle.007.tar", "a.b/bundle.*.tar"},
		"bundle.tar.gz":    {"bundle.007.tar.gz", "bundle.*.tar.gz"},
		"bundle":           {"bundle.007", "bundle.*"},
		"v1.2/bundle":      {"v1.2/bundle.007", "v1.2/bundle.*"},
		"bundle-1.2":       {"bundle-1.2.007", "bundle-1.2.*"},
		"bundle-1.2.tgz":   {"bundle-1.2.007.tgz", "bundle-1.2.*.tgz"},
		".bundle":          {".bundle.007", ".bundle.*"},
		"x.000.tgz":        {"x.000.007.tgz", "x.000.*.tgz"},
		"/tmp/.hidden.TGZ": {"/tmp/.hidden.007.TGZ", "/tmp/.hidden.*.TGZ"},
		"dir/.tar.gz":      {"dir/.tar.gz.007", "dir/.tar.gz.*"},
		"x.gz":             {"x.007.gz", "x.*.gz"},
	} {
		if got := [2]string{Path(path, 7), Pattern(path)}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestSibling finds the other parts of a bundle by the name of one.
func TestSibling(t *testing.T) {
	for path, want := range map[string][2]string{
		"bundle.001.tgz":       {"bundle.*.tgz", "bundle.007.tgz"},
		"a.001/bundle.002.tar": {"bundle.*.tar", "a.001/bundle.007.tar"},
		"x.000.003.tgz":        {"x.000.*.tgz", "x.000.007.tgz"},
		"bundle.004":           {"bundle.*", "bundle.007"},
		"bundle.tgz":           {},
		"a.001/bundle.tgz":     {},
		"bundle.0001.tgz":      {},
	} {
		if got := [2]string{PatternOf(path), Sibling(path, 7)}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
