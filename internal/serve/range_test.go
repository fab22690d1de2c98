package serve

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestRangesAtTheEdges compares parts of every kind with the whole.
func TestRangesAtTheEdges(t *testing.T) {
	for _, input := range kinds {
		t.Run(input, func(t *testing.T) { edges(t, input) })
	}
}

func edges(t *testing.T, input string) {
	size := len(large())
	part := func(from, to int) string { return string(large()[from:to]) }
	w, path := withLarge(t, input)
	s := w.serve(input)
	tag := `"` + digest.FromBytes(large()).String() + `"`
	for _, tt := range []struct {
		headers string // separated by |
		status  int
		want    string
		content string
	}{
		{"Range: bytes=0-0", 206, part(0, 1), fmt.Sprintf("bytes 0-0/%d", size)},
		{fmt.Sprintf("Range: bytes=%d-", size-1), 206, part(size-1, size), fmt.Sprintf("bytes %d-%d/%d", size-1, size-1, size)},
		{"Range: bytes=0-", 206, part(0, size), fmt.Sprintf("bytes 0-%d/%d", size-1, size)},
		{"Range: bytes=-5", 206, part(size-5, size), fmt.Sprintf("bytes %d-%d/%d", size-5, size-1, size)},
		{"Range: bytes=-99999999", 206, part(0, size), fmt.Sprintf("bytes 0-%d/%d", size-1, size)},
		{"Range: bytes=1048063-1048576", 206, part(1048063, 1048577), fmt.Sprintf("bytes 1048063-1048576/%d", size)},
		{fmt.Sprintf("Range: bytes=10-%d", size+5), 206, part(10, size), fmt.Sprintf("bytes 10-%d/%d", size-1, size)},
		{"Range: bytes=5-99999999999999999999", 206, part(5, size), fmt.Sprintf("bytes 5-%d/%d", size-1, size)},
		{fmt.Sprintf("Range: bytes=%d-", size), 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=99999999999999999999-", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=-0", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=5-4", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=0-1,5-6", 200, part(0, size), ""},
		{"Range: bytes=a-b", 200, part(0, size), ""},
		{"Range: bytes=--1", 200, part(0, size), ""},
		{"Range: lines=0-1", 200, part(0, size), ""},
		{"Range: bytes=0-1|If-Range: " + tag, 206, part(0, 2), fmt.Sprintf("bytes 0-1/%d", size)},
		{`Range: bytes=0-1|If-Range: "other"`, 200, part(0, size), ""},
		{"If-None-Match: " + tag, 304, "", ""},
		{`If-None-Match: "other"`, 200, part(0, size), ""},
	} {
		a := s.get(path, strings.Split(tt.headers, "|")...)
		if a.status == 416 && a.code() == "SIZE_INVALID" {
			a.body = ""
		}
		if a.status != tt.status || a.body != tt.want || a.header.Get("Content-Range") != tt.content {
			t.Errorf("%s, %s: %d, %d bytes, %s", input, tt.headers, a.status, len(a.body), a.header.Get("Content-Range"))
		}
	}
	head := s.do(http.MethodHead, path, "Range: bytes=0-1")
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(size) || head.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("%s: HEAD %v", input, head)
	}
}
