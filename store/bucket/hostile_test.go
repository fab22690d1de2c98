package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// few are the limits of answers in tests: the decoder of XML is slow under the race detector.
var few = limits{bytes: 256 << 10, tags: 2048}

// fake returns a client of a store that a handler plays.
func fake(t *testing.T, serve http.HandlerFunc) *Client {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "fake-access-key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "fake-secret-key")
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	c, err := New("bucket", Options{Settings: Settings{Endpoint: server.URL, Region: "us-east-1"},
		Retry: Retry{Sleep: func(context.Context, time.Duration) error { return nil }}, limits: few})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// page writes a page of a list.
func page(w io.Writer, next string, keys ...string) {
	fmt.Fprintf(w, "<ListBucketResult><Name>bucket</Name><IsTruncated>%t</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", next != "", next)
	for _, key := range keys {
		fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>1</Size></Contents>", key)
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// TestListThatNeverEnds has stores that send the same pages again.
func TestListThatNeverEnds(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"the same token": func(w http.ResponseWriter, _ *http.Request) { page(w, "again", "a/1", "a/2") },
		"two tokens": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("continuation-token") == "one" {
				page(w, "two", "a/3", "a/4")
			} else {
				page(w, "one", "a/1", "a/2")
			}
		},
		"empty pages": func(w http.ResponseWriter, r *http.Request) { page(w, strconv.Itoa(rand.Int())) },
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t, serve)
			n := 0
			var got error
			for _, err := range c.List(t.Context(), "a/") {
				if n++; n > 1000 {
					t.Fatal("the list does not end")
				}
				got = err
			}
			if !errors.Is(got, errEndlessList) {
				t.Errorf("after %d objects: %v", n, got)
			}
		})
	}
}

// sockets is more than two sockets and their buffers hold of an answer that is not read.
const sockets = 16 << 20

// TestLimitsOfAnswers are more than a page of a list needs.
func TestLimitsOfAnswers(t *testing.T) {
	l := limits{}.withDefaults()
	if l.bytes < 1000*3*1024 || l.tags < 1000*26 || l.bytes > 16<<20 || l.tags > 100_000 {
		t.Errorf("%+v", l)
	}
}

// TestHugeAnswer has stores that send more of a list than a page can have.
func TestHugeAnswer(t *testing.T) {
	for name, element := range map[string]string{
		"long keys":  "<Contents><Key>a/" + strings.Repeat("x", 10_000) + "</Key></Contents>",
		"no keys":    strings.Repeat("<Contents/>", 1000),
		"deep":       strings.Repeat("<a>", 1000),
		"no element": strings.Repeat(" ", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			c := fake(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "<ListBucketResult>")
				for {
					n, err := io.WriteString(w, element)
					if err != nil {
						return
					}
					sent.Add(int64(n))
				}
			})
			var got error
			for _, err := range c.List(t.Context(), "a/") {
				got = err
			}
			if got == nil || sent.Load() > sockets+int64(few.bytes) {
				t.Errorf("after %d bytes: %v", sent.Load(), got)
			}
		})
	}
}

// TestRedirectToAnotherHost checks that no request, and so no signature, goes there.
func TestRedirectToAnotherHost(t *testing.T) {
	var reached atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		c := fake(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.URL+r.URL.Path)
			w.WriteHeader(status)
		})
		_, _, err := c.Get(t.Context(), "x", 1<<20)
		if err == nil {
			t.Errorf("%d: no error of a GET", status)
		}
		if _, err := c.Put(t.Context(), "x", []byte("data"), Condition{}); err == nil {
			t.Errorf("%d: no error of a PUT", status)
		}
		for _, err := range c.List(t.Context(), "") {
			if err == nil {
				t.Errorf("%d: no error of a LIST", status)
			}
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests followed", n)
	}
}

// TestErrorInSuccess has the store answer 200 to the completion of an upload, with an error
// in the body, as S3 does.
func TestErrorInSuccess(t *testing.T) {
	const right = `<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>x</Key><ETag>"1"</ETag></CompleteMultipartUploadResult>`
	for body, want := range map[string]error{
		`<Error><Code>InternalError</Code><Message>again</Message></Error>`: nil,
		`<Error><Code>SlowDown</Code></Error>`:                              nil,
		"<CompleteMultipart":                                                nil,
		"":                                                                  nil,
		`<Error><Code>PreconditionFailed</Code></Error>`: ErrCondition,
		`<Error><Code>NoSuchUpload</Code></Error>`:       ErrNoUpload,
	} {
		t.Run(body, func(t *testing.T) {
			n := 0
			c := fake(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if n++; n == 1 {
					fmt.Fprint(w, body)
					return
				}
				fmt.Fprint(w, right)
			})
			u := &Upload{client: c, key: "x", id: "1"}
			if err := u.Complete(t.Context(), []Part{{Number: 1, ETag: "1"}}, Condition{}); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		})
	}
}

// TestWrongLengths has stores whose bodies differ from their Content-Length.
func TestWrongLengths(t *testing.T) {
	const changed = "Mon, 02 Jan 2006 15:04:05 GMT"
	for name, serve := range map[string]http.HandlerFunc{
		"longer": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
		},
		"garbage range": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-1/2")
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "short")
		},
		"another range": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", "bytes 0-4/100")
				w.WriteHeader(http.StatusPartialContent)
			}
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
		},
		"no ranges": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
			panic(http.ErrAbortHandler)
		},
		"another etag each time": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, time.Now().UnixNano()))
			if r.Header.Get("If-Match") != "" {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			c := fake(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 50 {
					t.Error("the client does not stop")
				}
				w.Header().Set("Last-Modified", changed)
				serve(w, r)
			})
			if data, _, err := c.Get(t.Context(), "x", 1<<20); err == nil {
				t.Errorf("%q", data)
			}
		})
	}
}

// TestListOfManyPagesUnderFaults answers every third page 503, more often than one request
// is tried.
func TestListOfManyPagesUnderFaults(t *testing.T) {
	n := 0
	c := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		last := max(r.URL.Query().Get("start-after"), r.URL.Query().Get("continuation-token"))
		i, _ := strconv.Atoi(strings.TrimPrefix(last, "a/"))
		next := fmt.Sprintf("a/%03d", i+1)
		if i == 29 {
			page(w, "", next)
			return
		}
		page(w, next, next)
	})
	var keys []string
	for o, err := range c.List(t.Context(), "a/") {
		if err != nil {
			t.Fatalf("after %d objects: %v", len(keys), err)
		}
		keys = append(keys, o.Key)
	}
	if len(keys) != 30 || !slices.IsSorted(keys) || keys[29] != "a/030" {
		t.Errorf("%d keys: %q", len(keys), keys)
	}
}
