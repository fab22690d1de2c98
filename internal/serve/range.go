package serve

import (
	"net/http"
	"strconv"
	"strings"
)

// span is a part of a blob.
type span struct {
	from, n int64
	whole   bool // the request asks for no part
}

func (s span) status() int {
	if s.whole {
		return http.StatusOK
	}
	return http.StatusPartialContent
}

// requestedRange returns the part of size bytes that a request asks for (RFC 9110, section
// 14); ok is false for one that no byte is in. Several ranges at once, other units, ranges
// that cannot be parsed and those for other content are ignored, as the RFC allows. A range
// that ends before it begins has no byte, as in net/http and the conformance suite.
func requestedRange(req *http.Request, size int64, etag string) (s span, ok bool) {
	all := span{0, size, true}
	header := req.Header.Get("Range")
	condition := req.Header.Get("If-Range")
	if header == "" || req.Method != http.MethodGet || condition != "" && condition != etag {
		return all, true
	}
	text, isBytes := strings.CutPrefix(header, "bytes=")
	first, last, isRange := strings.Cut(text, "-")
	if !isBytes || !isRange || strings.Contains(text, ",") {
		return all, true
	}
	first, last = strings.TrimSpace(first), strings.TrimSpace(last)
	if first == "" {
		n, err := position(last)
		if err {
			return all, true
		}
		n = min(n, size)
		return span{from: size - n, n: n}, n > 0
	}
	from, err := position(first)
	if err {
		return all, true
	}
	to := size - 1
	if last != "" {
		if to, err = position(last); err {
			return all, true
		}
	}
	to = min(to, size-1)
	return span{from: from, n: to - from + 1}, from <= to
}

// position parses a number of a request: digits only. One that is too large is beyond any
// blob and any list.
func position(text string) (n int64, invalid bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 62)
	if err != nil {
		return 1 << 61, false
	}
	return n, false
}
