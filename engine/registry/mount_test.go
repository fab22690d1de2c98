package registry

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
)

func TestMount(t *testing.T) {
	data := randomBytes(100)
	desc := describeBytes(data)
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "request", req.Method+" "+req.URL.Path, "POST /v2/test/repo/blobs/uploads/")
		equal(t, "mount", req.URL.Query().Get("mount"), desc.Digest.String())
		equal(t, "from", req.URL.Query().Get("from"), "first/repo")
		w.WriteHeader(http.StatusCreated)
	})
	opened := 0
	for range 2 {
		mounted, err := r.MountOrPush(t.Context(), desc, "first/repo", opener(data, &opened))
		noError(t, err)
		equal(t, "mounted", mounted, true)
	}
	equal(t, "times opened", opened, 0)
	mounted, err := r.Mount(t.Context(), desc, "test/repo")
	noError(t, err)
	equal(t, "mounted from itself", mounted, false)
}

func TestRefusedMountIsRemembered(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 405, 500} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			desc := describeBytes(randomBytes(100))
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Query().Get("from") == "good/repo" {
					w.WriteHeader(http.StatusCreated)
					return
				}
				w.WriteHeader(code)
			})
			for range 3 {
				mounted, err := r.Mount(t.Context(), desc, "first/repo")
				noError(t, err)
				equal(t, "mounted", mounted, false)
			}
			asked := 1
			if code == 500 {
				asked = tries
			}
			equal(t, "requests", r.host.client.Stats()["POST upload"], asked)
			mounted, err := r.Mount(t.Context(), desc, "good/repo")
			noError(t, err)
			equal(t, "mounted from another", mounted, true)
		})
	}
}

func TestMountThatOpensAnUpload(t *testing.T) {
	data, opened := randomBytes(100), 0
	t.Run("is used", func(t *testing.T) {
		u := &uploads{t: t}
		r, _ := repository(t, u.serve)
		mounted, err := r.MountOrPush(t.Context(), describeBytes(data), "first/repo", opener(data, &opened))
		noError(t, err)
		equal(t, "mounted", mounted, false)
		equal(t, "requests", u.requests(), "POST PUT")
		equal(t, "same bytes", bytes.Equal(u.stored, data), true)
		_, err = r.MountOrPush(t.Context(), describeBytes(data), "first/repo", opener(data, &opened))
		noError(t, err)
		equal(t, "mounts asked for", u.mounts, 1)
	})
	t.Run("is cancelled", func(t *testing.T) {
		u := &uploads{t: t}
		r, _ := repository(t, u.serve)
		mounted, err := r.Mount(t.Context(), describeBytes(data), "first/repo")
		noError(t, err)
		equal(t, "mounted", mounted, false)
		equal(t, "requests", u.requests(), "POST DELETE")
	})
}

func TestMountThatCannotBeAskedForIsAnError(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { breakOff() })
	if _, err := r.Mount(t.Context(), describeBytes(nil), "first/repo"); err == nil {
		t.Error("no error")
	}
}
