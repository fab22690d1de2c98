package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// passwords have characters that are escaped somewhere, and some of several bytes.
var passwords = []string{"p@ss word", `a"b\c/d'e&f<g>h`, "käse+brot%20=1", "100%25;$x`y", "plain-Secret_1", "日本語のpass", "??>>~~ÿÿ"}

// percent escapes the bytes that a function selects as %XX.
func percent(s, format string, chosen func(i int) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if chosen(i) || s[i] >= 0x80 {
			fmt.Fprintf(&b, format, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func all(int) bool      { return true }
func second(i int) bool { return i%2 == 1 }

// TestSecretIsHiddenInEveryEncoding encodes passwords in the ways of other programs.
func TestSecretIsHiddenInEveryEncoding(t *testing.T) {
	for _, p := range passwords {
		quoted, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		digits := hex.EncodeToString([]byte(p))
		for name, written := range map[string]string{
			"as it is":               p,
			"query":                  url.QueryEscape(p),
			"query, lower case":      percent(p, "%%%02x", all),
			"query, upper case":      percent(p, "%%%02X", all),
			"query, some of it":      percent(p, "%%%02x", second),
			"query of a query":       url.QueryEscape(url.QueryEscape(p)),
			"path":                   url.PathEscape(p),
			"JSON":                   strings.Trim(string(quoted), `"`),
			"Go":                     strings.Trim(strconv.QuoteToASCII(p), `"`),
			"HTML":                   html.EscapeString(p),
			"hex":                    digits,
			"hex, upper case":        strings.ToUpper(digits),
			"hex, both cases":        strings.ToUpper(digits[:5]) + digits[5:],
			"base64":                 base64.StdEncoding.EncodeToString([]byte(p)),
			"base64url":              base64.URLEncoding.EncodeToString([]byte(p)),
			"base64, not filled":     base64.RawStdEncoding.EncodeToString([]byte(p)),
			"basic":                  base64.StdEncoding.EncodeToString([]byte("me:" + p)),
			"basic of another":       base64.StdEncoding.EncodeToString([]byte("other:" + p)),
			"base64 of a whole text": base64.URLEncoding.EncodeToString([]byte(`{"x":"` + p + `","y":1}`)),
			"base64 in a query":      url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("m:" + p))),
		} {
			got := New(p).Hide("before (" + written + ") behind " + written)
			if want := "before (" + Mask + ") behind " + Mask; got != want && !strings.HasPrefix(name, "base64 in") {
				t.Errorf("%s: %q of %q", name, got, written)
			}
			if strings.Contains(got, written) {
				t.Errorf("%s: %q is in %q", name, written, got)
			}
		}
	}
}

// TestOtherTextStays checks that a text without a secret stays as it is.
func TestOtherTextStays(t *testing.T) {
	for _, text := range []string{"", "nothing", "p@ss", "%", `\`, "&", "&#;", "&#x;", "%4", "70407373", "cEBz", "p%40ss", "a\xff%70@", strings.Repeat("p@ss", 9)} {
		for _, p := range passwords {
			if got := New(p).Hide(text); got != text {
				t.Errorf("%q of %q", got, text)
			}
		}
	}
	if got := New("").Hide("text"); got != "text" {
		t.Errorf("%q", got)
	}
}
