package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := skipped.Report(os.Stderr, "store-bucket"); err != nil && code == 0 {
		code = 1
	}
	os.Exit(code)
}

// open returns a client for the bucket of a server, without pauses between its tries.
func open(t *testing.T, name string) *Client {
	t.Helper()
	c, err := New(name, Options{Retry: Retry{Sleep: func(context.Context, time.Duration) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *Client, key, data string, when Condition) string {
	t.Helper()
	etag, err := c.Put(t.Context(), key, []byte(data), when)
	if err != nil {
		t.Fatal(err)
	}
	return etag
}

func TestPutAndOpen(t *testing.T) {
	testbucket.New(t)
	c := open(t, testbucket.Name)
	put(t, c, "a/b", "0123456789", Condition{})
	for _, tt := range []struct {
		off, n int64
		want   string
	}{{0, -1, "0123456789"}, {3, -1, "3456789"}, {3, 4, "3456"}, {0, 10, "0123456789"}, {0, 1, "0"}, {9, 1, "9"}, {5, 0, ""}} {
		r, err := c.Open(t.Context(), "a/b", tt.off, tt.n)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || string(data) != tt.want {
			t.Errorf("%d+%d: %q, %v", tt.off, tt.n, data, err)
		}
		r.Close()
	}
	r, err := c.OpenTail(t.Context(), "a/b", 4)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err != nil || string(data) != "6789" || r.Size() != 10 {
		t.Errorf("tail: %q of %d, %v", data, r.Size(), err)
	}
	if size, err := c.Stat(t.Context(), "a/b"); err != nil || size != 10 {
		t.Errorf("Stat = %d, %v", size, err)
	}
}

func TestWhatIsAbsent(t *testing.T) {
	testbucket.New(t)
	c := open(t, testbucket.Name)
	_, err := c.Open(t.Context(), "none", 0, -1)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: %v", err)
	}
	if _, err := c.Stat(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if err := c.Remove(t.Context(), "none"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	_, err = open(t, "no-such-bucket").Open(t.Context(), "none", 0, -1)
	if errors.Is(err, fs.ErrNotExist) || err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("in a bucket that does not exist: %v", err)
	}
}

func TestConditions(t *testing.T) {
	testbucket.New(t)
	c := open(t, testbucket.Name)
	first := put(t, c, "x", "one", Condition{Absent: true})
	if _, err := c.Put(t.Context(), "x", []byte("two"), Condition{Absent: true}); !errors.Is(err, ErrCondition) {
		t.Errorf("put if absent: %v", err)
	}
	second := put(t, c, "x", "two", Condition{ETag: first})
	if _, err := c.Put(t.Context(), "x", []byte("three"), Condition{ETag: first}); !errors.Is(err, ErrCondition) {
		t.Errorf("put if match: %v", err)
	}
	data, etag, err := c.Get(t.Context(), "x", 64<<20)
	if err != nil || string(data) != "two" || etag != second {
		t.Errorf("%q %s, want %s; %v", data, etag, second, err)
	}
}

func TestList(t *testing.T) {
	server := testbucket.New(t)
	c := open(t, testbucket.Name)
	for i := range 25 {
		put(t, c, fmt.Sprintf("a/%02d/x", i), strings.Repeat("x", i), Condition{})
	}
	put(t, c, "b", "beside", Condition{})
	server.Inject(func(r testbucket.Call) *testbucket.Fault {
		if r.Kind == "LIST" && r.N == 1 {
			return testbucket.SlowDown()
		}
		return nil
	})
	n := 0
	for o, err := range c.List(t.Context(), "a/") {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("a/%02d/x", n); o.Key != want || o.Size != int64(n) {
			t.Errorf("%+v, want %s", o, want)
		}
		n++
	}
	if n != 25 {
		t.Errorf("%d objects", n)
	}
	var top []string
	for o, err := range c.ListTop(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		top = append(top, o.Key)
	}
	if fmt.Sprint(top) != "[b a/]" {
		t.Errorf("top: %v", top)
	}
}

func TestUpload(t *testing.T) {
	testbucket.New(t)
	c := open(t, testbucket.Name)
	u, err := c.NewUpload(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	data := [][]byte{bytes.Repeat([]byte("a"), MinPart), bytes.Repeat([]byte("b"), MinPart), []byte("end")}
	var parts []Part
	for i, d := range data {
		p, err := u.Put(t.Context(), i+1, d)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if err := u.Complete(t.Context(), parts, Condition{Absent: true}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := c.Get(t.Context(), "large", 64<<20); err != nil || !bytes.Equal(got, bytes.Join(data, nil)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	again, err := c.NewUpload(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	p, err := again.Put(t.Context(), 1, []byte("other"))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Complete(t.Context(), []Part{p}, Condition{Absent: true}); !errors.Is(err, ErrCondition) {
		t.Errorf("complete over an object that exists: %v", err)
	}
	if err := again.Abort(t.Context()); err != nil {
		t.Error(err)
	}
}

// written is content that is written again for each try.
type written string

func (w written) WriteTo(to io.Writer) (int64, error) {
	n, err := io.WriteString(to, string(w))
	return int64(n), err
}

func (w written) Size() int64 { return int64(len(w)) }

func (w written) SHA256() [sha256.Size]byte { return sha256.Sum256([]byte(w)) }

func TestParseLocation(t *testing.T) {
	for path, want := range map[string]struct {
		Location
		layout bool
	}{
		"s3://b/x.tgz":   {Location{"b", "x.tgz"}, false},
		"s3://b/a/x.tgz": {Location{"b", "a/x.tgz"}, false},
		"s3://b/a/":      {Location{"b", "a/"}, true},
		"s3://b/":        {Location{"b", ""}, true},
		"s3://b":         {Location{"b", ""}, true},
	} {
		l, err := ParseLocation(path)
		if err != nil || l != want.Location || l.IsLayout() != want.layout {
			t.Errorf("%s: %+v, %v", path, l, err)
		}
	}
	for _, path := range []string{"", "s3://", "s3:///x", "s3://user:password@b/x", "s3://b//x", "s3://b/a//", "/tmp/x", "s3:/x", "s3:", "S3://b/x", "s3://b/../x", "s3://b/./", "s3://b/.."} {
		if l, err := ParseLocation(path); err == nil {
			t.Errorf("%s: %+v", path, l)
		}
	}
}

func TestIs(t *testing.T) {
	for path, want := range map[string]bool{"s3://b/x": true, "s3:/x": true, "S3://b/x": true, "s3:": false, "s3:latest": false, "./s3:/x": false, "s3": false, "s3x": false, "": false} {
		if Is(path) != want {
			t.Errorf("%q", path)
		}
	}
}

func TestSettings(t *testing.T) {
	for _, s := range []Settings{{Endpoint: "ftp://x"}, {Endpoint: "https://user:word@x/"}, {Endpoint: "https://x/path"}, {Encryption: "rot13"}, {CAFile: "/does/not/exist"}} {
		c, err := New("bucket", Options{Settings: s})
		if err == nil || strings.Contains(err.Error(), "word") {
			t.Errorf("%+v: %v, %v", s, c, err)
		}
	}
}
