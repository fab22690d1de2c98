package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// shapeless are characters of each kind that must not reach a terminal.
var shapeless = map[string]string{
	"escape": "\x1b", "bell": "\a", "delete": "\x7f", "CSI of 8 bits": "\u009b", "half of UTF-8": "\xe2\x80",
	"right-to-left override": "\u202e", "isolate": "\u2066", "right-to-left mark": "\u200f", "Arabic letter mark": "\u061c",
	"zero width space": "\u200b", "joiner": "\u200d", "byte order mark": "\ufeff", "soft hyphen": "\u00ad", "word joiner": "\u2060",
	"tag": "\U000e0061", "annotation": "\ufff9", "musical": "\U0001d173", "shorthand": "\U0001bca0",
	"private": "\ue000", "not assigned": "\u0378", "no character": "\uffff", "Hangul filler": "\u3164", "half-width filler": "\uffa0",
	"grapheme joiner": "\u034f", "variation selector": "\U000e0100", "Mongolian selector": "\u180b",
}

// shaped are texts that people write.
var shaped = []string{"plain: text/1.0@sha256", "Überraschung", "e\u0301", "日本語 イメージ", "שלום", "مرحبا", "✔ ⚠\ufe0f 🚀", "€ → “x”", "हिन्दी"}

func TestWhatHasNoShapeIsNotPrinted(t *testing.T) {
	for name, text := range shapeless {
		got := printable("a" + text + "b")
		if strings.Contains(got, text) || !strings.HasPrefix(got, "a\ufffd") || !strings.HasSuffix(got, "\ufffdb") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, text := range shaped {
		if got := printable(text); got != text {
			t.Errorf("%q of %q", got, text)
		}
	}
	for _, space := range []string{"\n", "\r", "\t", "\u2028", "\u2029", "\u00a0", "\u3000", "\v", "\u0085"} {
		if got := printable("a" + space + "b"); got != "a b" {
			t.Errorf("%q of %q", got, space)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if got := printable(string(r)); unicode.In(r, unicode.Cc, unicode.Cf) && got == string(r) {
			t.Errorf("%U is printed", r)
		}
	}
}

// TestJSONIsExactAndPrintable prints each kind of character in JSON: what is read again is
// what was written, and nothing of it steers a terminal.
func TestJSONIsExactAndPrintable(t *testing.T) {
	var all []string
	for name, text := range shapeless {
		if name != "half of UTF-8" { // which JSON cannot say
			all = append(all, "a"+text+"b"+text)
		}
	}
	all = append(all, shaped...)
	for _, text := range all {
		document := map[string]string{"reference": text, text: "<&>\u2028"}
		for name, encode := range map[string]func(*bytes.Buffer) error{
			"printJSON": func(b *bytes.Buffer) error { return printJSON(b, document) },
			"an event":  func(b *bytes.Buffer) error { return newEncoder(b).Encode(document) },
		} {
			var out bytes.Buffer
			if err := encode(&out); err != nil {
				t.Fatal(err)
			}
			var back map[string]string
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || fmt.Sprint(back) != fmt.Sprint(document) {
				t.Errorf("%s: %q became %q (%v)", name, document, back, err)
			}
			if shown := strings.ReplaceAll(out.String(), "\n", " "); printable(shown) != shown {
				t.Errorf("%s: %q is printed", name, shown)
			}
		}
	}
}

// TestNothingInABundleSteersTheTerminal has a name of each kind in a bundle and looks at
// it with every command.
func TestNothingInABundleSteersTheTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	var entries []map[string]any
	for _, text := range slices.Sorted(maps.Values(shapeless)) {
		name := "h.example/app:v" + text
		entries = append(entries, map[string]any{"mediaType": "application/vnd.oci.image.manifest.v1+json" + text, "size": 2, "digest": sum,
			"platform":    map[string]string{"os": "linux" + text, "architecture": "amd64"},
			"annotations": map[string]string{"org.opencontainers.image.ref.name": name}})
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": entries})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{"l/oci-layout": `{"imageLayoutVersion": "1.0.0"}`, "l/index.json": string(index),
		"mirror.yaml": "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [{layout: l}, \"h.example/app:v\\u202e1\"]\n"} {
		if err := os.MkdirAll("l", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"list --input l", "list --input l --format json", "verify --input l", "diff l testdata", "diff l l",
		"restore --input l --dry-run localhost:1", "restore --input l localhost:1 --report report.json", "plan --input l localhost:1",
		"backup -o x.tgz -f mirror.yaml", "validate -f mirror.yaml", "init --input l", "plan -o x/ -f mirror.yaml", "backup -o x.tgz h.example/\u202eapp"} {
		_, stdout, stderr := try(t, "", strings.Split(command, " ")...)
		report, _ := os.ReadFile("report.json")
		for where, text := range map[string]string{"standard output": stdout, "standard error": stderr, "the report": string(report)} {
			if shown := strings.ReplaceAll(text, "\n", " "); printable(shown) != shown {
				t.Errorf("%s: %s has %q", command, where, text)
			}
		}
		if stdout+stderr == "" {
			t.Errorf("%s says nothing", command)
		}
	}
}
