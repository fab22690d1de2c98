package store

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// TestNamesMeantForABucket are refused before anything is read or created, wherever they
// lead on the disk.
func TestNamesMeantForABucket(t *testing.T) {
	t.Chdir(t.TempDir())
	s := newSample(t)
	for _, path := range []string{"s3:/b/x", "s3:/b/x/", "S3://b/x/", "S3:/b/x.tgz", "s3:///x", "s3://b/../x/", "s3://b/./x.tgz", "s3://b//x", "s3://user:word@b/x/"} {
		if err := os.MkdirAll("s3:/b", 0o755); err != nil {
			t.Skip("no file has such a name here:", err)
		}
		writeFile(t, "s3:/b/x", readFile(t, s.archive(t, "x.tgz", bundle.Gzip)))
		p, at := At(path, OpenOptions{})
		_, open := OpenLayout(path, OpenOptions{})
		for what, err := range map[string]error{"At": at, "OpenLayout": open} {
			if _, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), "bucket") && !strings.Contains(err.Error(), "s3://BUCKET") && !strings.Contains(err.Error(), "path element") {
				t.Errorf("%s of %s: %v, %v", what, path, p, err)
			}
		}
		_, create := Create(path, CreateOptions{})
		if _, ok := errors.AsType[*OutputError](create); !ok {
			t.Errorf("Create of %s: %v", path, create)
		}
	}
}

// TestStates compares those of a place before and after it was written.
func TestStates(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	for _, name := range []string{"layout/", "x.tgz"} {
		p, err := At(server.Path(name), OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		absent, err := p.State(t.Context())
		if !errors.Is(err, fs.ErrNotExist) || absent != (State{}) {
			t.Errorf("%s: %+v, %v", name, absent, err)
		}
		if strings.HasSuffix(name, "/") {
			s.writeBucket(t, openBucketAt(t, server.Path(name), CreateOptions{}))
		} else {
			s.writeObject(t, server.Path(name))
		}
		first, err := p.State(t.Context())
		again, errAgain := p.State(t.Context())
		if err := errors.Join(err, errAgain); err != nil || !first.Same(again) || first.Same(absent) {
			t.Errorf("%s: %+v, then %+v, %v", name, first, again, err)
		}
	}
}

// TestStateOfABucketThatIsBusy: only a poll gives up at the first answer.
func TestStateOfABucketThatIsBusy(t *testing.T) {
	server := testbucket.New(t)
	newSample(t).writeObject(t, server.Path("x.tgz"))
	p, err := At(server.Path("x.tgz"), OpenOptions{Buckets: impatient})
	if err != nil {
		t.Fatal(err)
	}
	busy := func() {
		left := 1
		server.Inject(func(testbucket.Call) *testbucket.Fault {
			if left--; left < 0 {
				return nil
			}
			return testbucket.SlowDown()
		})
	}
	busy()
	if _, err := p.State(t.Context()); err != nil {
		t.Error(err)
	}
	busy()
	if _, err := p.Poll(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want that the bucket is not available", err)
	}
}
