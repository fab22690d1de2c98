package testbucket

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// NewInMemory starts a server that keeps its objects in the memory of the test, and points the
// variables of AWS to it. It is for very many small objects: versitygw writes each of them to a
// disk. It has no signatures and no uploads in parts, and Folder is empty.
func NewInMemory(t testing.TB) *Server {
	t.Helper()
	s := &Server{calls: make(map[string]int)}
	s.Objects = &Objects{data: make(map[string][]byte)}
	s.open(t, s.Objects)
	for name, value := range s.Environment() {
		t.Setenv(name, value)
	}
	return s
}

// Objects are the objects of a bucket in memory.
type Objects struct {
	mu   sync.Mutex // guards what follows
	data map[string][]byte
	keys []string // in order; nil after a change
}

// Put adds an object or replaces it.
func (o *Objects) Put(key string, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.data[key]; !known {
		o.keys = nil
	}
	o.data[key] = data
}

// Size returns the size of an object, 0 if there is none.
func (o *Objects) Size(key string) int {
	data, _ := o.get(key)
	return len(data)
}

func (o *Objects) get(key string) (data []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, ok = o.data[key]
	return data, ok
}

// sorted returns the keys in order.
func (o *Objects) sorted() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys == nil {
		o.keys = make([]string, 0, len(o.data))
		for key := range o.data {
			o.keys = append(o.keys, key)
		}
		slices.Sort(o.keys)
	}
	return o.keys
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// ServeHTTP answers a request of S3.
func (o *Objects) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	key := strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, "/"+Name), "/")
	switch {
	case key == "" && req.URL.Query().Has("list-type"):
		o.list(w, req.URL.Query())
	case key == "":
		fail(w, http.StatusNotImplemented, "NotImplemented")
	case req.Method == http.MethodPut && req.URL.RawQuery == "":
		o.write(w, req, key)
	case req.Method == http.MethodDelete:
		o.Remove(key)
		w.WriteHeader(http.StatusNoContent)
	case req.Method == http.MethodGet || req.Method == http.MethodHead:
		o.read(w, req, key)
	default:
		fail(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>in memory</Message></Error>", code)
}

// Remove removes an object.
func (o *Objects) Remove(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.data, key)
	o.keys = nil
}

func (o *Objects) read(w http.ResponseWriter, req *http.Request, key string) {
	data, ok := o.get(key)
	if !ok {
		fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", etag(data))
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, req, "", time.Unix(1e9, 0), strings.NewReader(string(data)))
}

// write stores an object if the condition of the request holds.
func (o *Objects) write(w http.ResponseWriter, req *http.Request, key string) {
	data := make([]byte, max(req.ContentLength, 0))
	if _, err := io.ReadFull(req.Body, data); err != nil {
		fail(w, http.StatusBadRequest, "IncompleteBody")
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	old, known := o.data[key]
	match := req.Header.Get("If-Match")
	if known && req.Header.Get("If-None-Match") == "*" || match != "" && (!known || strings.Trim(match, `"`) != strings.Trim(etag(old), `"`)) {
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	if !known {
		o.keys = nil
	}
	o.data[key] = data
	w.Header().Set("ETag", etag(data))
}

type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	EncodingType          string
	Contents              []listed
	CommonPrefixes        []common
}

type listed struct {
	Key  string
	Size int
}

type common struct{ Prefix string }

// list answers with a page of the keys.
func (o *Objects) list(w http.ResponseWriter, q url.Values) {
	page := listing{EncodingType: "url"}
	prefix, after := q.Get("prefix"), max(q.Get("start-after"), q.Get("continuation-token"))
	most, err := strconv.Atoi(q.Get("max-keys"))
	if err != nil || most == 0 {
		most = 1000
	}
	keys := o.sorted()
	from, _ := slices.BinarySearch(keys, prefix)
	if after >= prefix {
		from, _ = slices.BinarySearch(keys, after+"\x00")
	}
	for _, key := range keys[from:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		if q.Get("delimiter") == "/" {
			if top, _, below := strings.Cut(key[len(prefix):], "/"); below {
				if at := (common{prefix + top + "/"}); !slices.Contains(page.CommonPrefixes, at) {
					page.CommonPrefixes = append(page.CommonPrefixes, at)
				}
				continue
			}
		}
		if len(page.Contents) == most {
			page.IsTruncated = true
			break
		}
		page.Contents = append(page.Contents, listed{url.QueryEscape(key), o.Size(key)})
		page.NextContinuationToken = key
	}
	if !page.IsTruncated {
		page.NextContinuationToken = ""
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(page) // the client has gone
}
