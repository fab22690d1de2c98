package bucket

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestCopyOfALargeObject copies an object of 12 GiB on a server that says it has one. S3 copies
// at most 5 GiB with one request.
func TestCopyOfALargeObject(t *testing.T) {
	const size, most = 12 << 30, 5 << 30
	var mu sync.Mutex // guards what follows
	var copied int64
	completed, at := 0, make(map[int64]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		query := r.URL.Query()
		w.Header().Set("ETag", `"0123"`)
		switch {
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", fmt.Sprint(int64(size)))
			w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		case query.Has("uploads"):
			io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>")
		case query.Has("partNumber"):
			var from, to int64
			if _, err := fmt.Sscanf(r.Header.Get("X-Amz-Copy-Source-Range"), "bytes=%d-%d", &from, &to); err != nil || to-from+1 > most || at[from] {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			copied, at[from] = copied+to-from+1, true
			io.WriteString(w, `<CopyPartResult><ETag>"0123"</ETag></CopyPartResult>`)
		case query.Has("uploadId") && r.Method == http.MethodPost:
			completed++
			io.WriteString(w, `<CompleteMultipartUploadResult><Bucket>backups</Bucket><Key>to</Key><ETag>"0123"</ETag></CompleteMultipartUploadResult>`)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusNotImplemented)
		}
	}))
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c, err := New("backups", Options{Settings: Settings{Endpoint: server.URL, PathStyle: true}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Copy(t.Context(), "from", "to"); err != nil {
		t.Fatal(err)
	}
	if copied != size || len(at) < 3 || completed != 1 {
		t.Errorf("%d bytes in %d parts, completed %d times", copied, len(at), completed)
	}
}
