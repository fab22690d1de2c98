package chart

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNewest(t *testing.T) {
	all := []string{"1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "v3.0.0", "1.10.0+b", "latest", "0.1.0-alpha"}
	for constraint, want := range map[string]string{
		"": "v3.0.0", "^1": "1.10.0+b", "1.x": "1.10.0+b", "1.9": "1.9.0", "~1.9.0": "1.9.0", "1.10.0": "1.10.0", ">=2.0.0-0 <3": "2.0.0-rc.1",
		"2.0.0-rc.1": "2.0.0-rc.1", "3.0.0": "v3.0.0", ">3": "", "<1": "", "<1-0": "0.1.0-alpha", "none of these": "",
	} {
		if got := Newest(constraint, all); got != want {
			t.Errorf("%q selects %q, want %q", constraint, got, want)
		}
	}
	if got := Newest("", []string{"1.0.0-rc.1"}); got != "" {
		t.Errorf("a pre-release is selected: %s", got)
	}
	for version, exact := range map[string]bool{"1.2.3": true, "v1.2.3": true, "1.2.3-rc.1+b": true, "1.2": false, "": false, "1.2.x": false, "^1.2.3": false} {
		if IsExact(version) != exact {
			t.Errorf("IsExact(%q) is %v", version, !exact)
		}
	}
}

// TestReadIndex reads the forms that programs write.
func TestReadIndex(t *testing.T) {
	one := []Entry{{Version: "1.0.0", URLs: []string{"a.tgz"}, Digest: "00"}, {Version: "0.9.0", URLs: []string{"b.tgz"}}}
	for name, text := range map[string]string{
		"helm":    "apiVersion: v1\nentries:\n  web:\n  - version: 9.0.0\n  app:\n  - urls:\n    - a.tgz\n    digest: \"00\"\n    description: |\n      - one\n      app:\n    version: 1.0.0\n  - version: 0.9.0\n    urls:\n    - b.tgz\n  zoo:\n  - version: 1.0.0\ngenerated: x\n",
		"deeper":  "entries:\n    \"app\":\n      - version: 1.0.0\n        digest: \"00\"\n        urls: [a.tgz]\n      # older\n      - {version: 0.9.0, urls: [b.tgz]}\n    web: []\n",
		"windows": "entries:\r\n  app:\r\n  - version: 1.0.0\r\n    digest: \"00\"\r\n    urls:\r\n    - a.tgz\r\n\r\n  - version: 0.9.0\r\n    urls:\r\n    - b.tgz\r\n",
		"JSON":    `{"entries": {"web": [], "app": [{"version": "1.0.0", "digest": "00", "urls": ["a.tgz"]}, {"version": "0.9.0", "urls": ["b.tgz"]}]}}`,
		"first":   "generated: x\nentries:\n  app:\n  - version: 1.0.0\n    digest: \"00\"\n    urls: [a.tgz]\n  - version: 0.9.0\n    urls: [b.tgz]\nserverInfo:\n  app:\n  - version: 8.0.0\n",
	} {
		found, err := ReadIndex(strings.NewReader(text), map[string]bool{"app": true})
		if err != nil || !reflect.DeepEqual(found, map[string][]Entry{"app": one}) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	for text, want := range map[string]string{
		"":                                 "it has no entries",
		"<html>":                           "it has no entries",
		"{}":                               "it has no entries",
		"entries:\n  app:\n  - [1":         "line 3",
		"entries:\n  app:\n  - a: b\n   c": "line 3",
	} {
		if _, err := ReadIndex(strings.NewReader(text), map[string]bool{"app": true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	broken := errors.New("the connection broke")
	text := io.MultiReader(strings.NewReader("entries:\n  app:\n  - version: 1.0.0\n"), iotest.ErrReader(broken))
	if _, err := ReadIndex(text, map[string]bool{"app": true}); err != broken {
		t.Errorf("got %v, want the error of the reader", err)
	}
}

// TestReadIndexNeedsLittleMemory reads an index of many charts without keeping them.
func TestReadIndexNeedsLittleMemory(t *testing.T) {
	var text strings.Builder
	text.WriteString("entries:\n")
	for i := range 20_000 {
		fmt.Fprintf(&text, "  chart-%d:\n  - version: 1.0.0\n    urls:\n    - a.tgz\n", i)
	}
	allocated := testing.AllocsPerRun(1, func() {
		found, err := ReadIndex(strings.NewReader(text.String()), map[string]bool{"chart-7": true})
		if err != nil || len(found["chart-7"]) != 1 || len(found) != 1 {
			t.Errorf("found %v, %v", found, err)
		}
	})
	if allocated > 40_000 {
		t.Errorf("%.0f allocations for one chart", allocated)
	}
}

func TestLists(t *testing.T) {
	for text, want := range map[string][]string{
		"- {name: a, image: \"x:1\"}\n- image: y\n  platforms: [linux/amd64]\n  whitelisted: true": {"x:1", "y"},
		"- x:1\n- y": {"x:1", "y"}, "[]": nil, "": nil,
	} {
		if got, err := parseList([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"a: b", "- {name: a}", "- {image: [a]}", "- a\n---\n- b", "- ["} {
		if got, err := parseList([]byte(text)); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}
