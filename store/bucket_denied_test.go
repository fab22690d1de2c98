package store

import (
	"errors"
	"net/http"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// TestDeniedByABucket opens outputs in a bucket whose policy denies something: who may not
// write learns it before anything is fetched.
func TestDeniedByABucket(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	s.writeBucket(t, openBucketAt(t, server.Path("old/"), CreateOptions{}))
	s.writeObject(t, server.Path("old.tgz"))
	for name, tt := range map[string]struct {
		deny func(testbucket.Call) *testbucket.Fault
		op   map[string]string // the request that is denied, by output; "" if none is
	}{
		"to write":        {testbucket.DenyWrites, map[string]string{"old/": "put", "new/": "put", "old.tgz": "put", "new.tgz": "put"}},
		"to list":         {server.DenyLists, map[string]string{"old/": "list", "new/": "get", "old.tgz": "get", "new.tgz": "get"}},
		"to list uploads": {testbucket.DenyUploads, map[string]string{"old/": "", "new/": "", "old.tgz": "", "new.tgz": ""}},
	} {
		for output, op := range tt.op {
			server.Inject(tt.deny)
			d, err := Create(server.Path(output), CreateOptions{})
			denied, _ := errors.AsType[*bucket.Error](err)
			switch {
			case op == "" && err != nil, op != "" && denied == nil:
				t.Errorf("%s, %s: %v", name, output, err)
			case denied != nil && (denied.Op != op || denied.Status != http.StatusForbidden || denied.Anonymous):
				t.Errorf("%s, %s: %+v", name, output, denied)
			}
			if err == nil {
				closeAll(t, d)
			}
			server.Inject(nil)
			if old, err := OpenLayout(server.Path("old/"), OpenOptions{}); err != nil || len(old.Index().Entries) == 0 {
				t.Fatalf("%s, %s: the layout that was there: %v", name, output, err)
			}
		}
	}
}

// TestNoCredentials sends requests that are not signed.
func TestNoCredentials(t *testing.T) {
	server := testbucket.New(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := OpenLayout(server.Path("layout/"), OpenOptions{})
	if denied, ok := errors.AsType[*bucket.Error](err); !ok || !denied.Anonymous {
		t.Errorf("%v", err)
	}
}
