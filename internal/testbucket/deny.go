package testbucket

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// denied is the answer to a request that the policy of the bucket does not allow.
func denied() *Fault { return Status(http.StatusForbidden, "AccessDenied") }

// DenyWrites is the policy of a user who may only read.
func DenyWrites(c Call) *Fault {
	if c.Method == http.MethodGet || c.Method == http.MethodHead {
		return nil
	}
	return denied()
}

// DenyLists is the policy of a user who may not list. As with AWS such a user does not learn,
// either, that an object does not exist.
func (s *Server) DenyLists(c Call) *Fault {
	if c.Method != http.MethodGet && c.Method != http.MethodHead {
		return nil
	}
	if _, err := os.Stat(filepath.Join(s.Folder, filepath.FromSlash(c.Key))); c.Kind == "LIST" || err != nil {
		return denied()
	}
	return nil
}

// DenyObject is the policy that denies to write the objects whose key ends so.
func DenyObject(suffix string) func(Call) *Fault {
	return func(c Call) *Fault {
		if !strings.HasSuffix(c.Key, suffix) {
			return nil
		}
		return DenyWrites(c)
	}
}

// DenyUploads is the policy of a user who may not see the unfinished uploads of others.
func DenyUploads(c Call) *Fault {
	if c.Method == http.MethodGet && c.URL.Query().Has("uploads") {
		return denied()
	}
	return nil
}
