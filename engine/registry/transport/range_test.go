package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

func whole(int32) int { return -1 }

func fetch(ctx context.Context, r *Repository, data []byte, off, n int64) ([]byte, error) {
	body, err := r.FetchBlob(ctx, describeBytes(data), off, n)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func TestBlobIsContinuedWhereItBroke(t *testing.T) {
	data := randomBytes(3 << 20)
	half := func(n int32) int {
		if n == 1 {
			return len(data) / 2
		}
		return -1
	}
	for name, noRange := range map[string]bool{"by range": false, "by skipping": true} {
		t.Run(name, func(t *testing.T) {
			s := &registrytest.BlobServer{Data: data, Cut: half, NoRange: noRange}
			r, c := repository(t, s.Serve)
			got, err := fetch(t.Context(), r, data, 0, int64(len(data)))
			noError(t, err)
			if !bytes.Equal(got, data) {
				t.Error("the bytes differ")
			}
			equal(t, "requests", s.Requests.Load(), 2)
			equal(t, "of them with a range", s.Ranges.Load(), 1)
			equal(t, "pauses", len(c.Sleeps()), 1)
		})
	}
}

func TestBlobThatKeepsBreaking(t *testing.T) {
	data := randomBytes(12 << 20)
	t.Run("with progress", func(t *testing.T) {
		s := &registrytest.BlobServer{Data: data, Cut: func(int32) int { return 3 << 19 }}
		r, _ := repository(t, s.Serve)
		got, err := fetch(t.Context(), r, data, 0, int64(len(data)))
		noError(t, err)
		equal(t, "same bytes", bytes.Equal(got, data), true)
		equal(t, "requests", s.Requests.Load(), 8)
	})
	t.Run("without", func(t *testing.T) {
		s := &registrytest.BlobServer{Data: data, Cut: func(int32) int { return 1 }}
		r, _ := repository(t, s.Serve)
		_, err := fetch(t.Context(), r, data, 0, int64(len(data)))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v", err)
		}
		equal(t, "requests", s.Requests.Load(), MaxTries)
	})
}

func TestPartsOfABlob(t *testing.T) {
	data := randomBytes(100_000)
	s := &registrytest.BlobServer{Data: data, Cut: whole}
	r, _ := repository(t, s.Serve)
	for _, part := range [][2]int64{{0, 10}, {10, 1}, {99_999, 1}, {50_000, 50_000}, {0, 100_000}, {5, 0}} {
		got, err := fetch(t.Context(), r, data, part[0], part[1])
		noError(t, err)
		equal(t, "same bytes", bytes.Equal(got, data[part[0]:part[0]+part[1]]), true)
	}
	if _, err := fetch(t.Context(), r, data, 99_999, 2); err == nil {
		t.Error("bytes beyond the end were no error")
	}
}

func TestRegistryWithoutRange(t *testing.T) {
	data := randomBytes(100_000)
	s := &registrytest.BlobServer{Data: data, Cut: whole, NoRange: true}
	r, _ := repository(t, s.Serve)
	for _, part := range [][2]int64{{0, 10}, {50_000, 50_000}} {
		if _, err := fetch(t.Context(), r, data, part[0], part[1]); !errors.Is(err, ErrNoRange) {
			t.Errorf("got %v", err)
		}
	}
	equal(t, "places held", len(r.host.slots), 0)
}

func TestLyingSizes(t *testing.T) {
	data := randomBytes(1000)
	for name, h := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"another length": {func(w http.ResponseWriter, req *http.Request) { w.Write(data[:999]) }, content.ErrInvalidDescriptorSize},
		"too much": {func(w http.ResponseWriter, req *http.Request) {
			http.NewResponseController(w).Flush() // chunked: no length is said
			w.Write(append(append([]byte{}, data...), 'x'))
		}, content.ErrTrailingData},
		"another part": {func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-999/2000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data)
		}, content.ErrInvalidDescriptorSize},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, h.serve)
			if _, err := fetch(t.Context(), r, data, 0, 1000); !errors.Is(err, h.want) {
				t.Errorf("got %v, want %v", err, h.want)
			}
		})
	}
}

// TestStrangeAnswersToARange: if a registry sends another part than the requested one,
// or none, the next request is for the whole blob.
func TestStrangeAnswersToARange(t *testing.T) {
	data := randomBytes(100_000)
	for name, strange := range map[string]http.HandlerFunc{
		"another part": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/100000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[:10])
		},
		"no place of the part": func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[50_000:])
		},
		"not satisfiable": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes */100000")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				switch n.Add(1); {
				case req.Header.Get("Range") != "":
					strange(w, req)
				case n.Load() == 1:
					(&registrytest.BlobServer{Data: data, Cut: func(int32) int { return 50_000 }}).Serve(w, req)
				default:
					w.Write(data)
				}
			})
			got, err := fetch(t.Context(), r, data, 0, 100_000)
			noError(t, err)
			equal(t, "same bytes", bytes.Equal(got, data), true)
			equal(t, "requests", n.Load(), 3)
			if _, err := fetch(t.Context(), r, data, 60_000, 100); !errors.Is(err, ErrNoRange) {
				t.Errorf("of a part: %v", err)
			}
			equal(t, "places held", len(r.host.slots), 0)
		})
	}
}

func TestContentRange(t *testing.T) {
	for value, want := range map[string][2]int64{
		"bytes 0-9/100": {0, 100}, "bytes 5-9/*": {5, -1}, "": {-9, -9}, "bytes */100": {-9, -9}, "bytes 1-2": {-9, -9},
	} {
		first, size, err := contentRange(http.Header{"Content-Range": {value}})
		if err != nil {
			first, size = -9, -9
		}
		equal(t, strconv.Quote(value), [2]int64{first, size}, want)
	}
}
