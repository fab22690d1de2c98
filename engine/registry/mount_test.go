package registry

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
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
			equal(t, "requests", r.host.client.Stats()["POST upload"], 1)
			mounted, err := r.Mount(t.Context(), desc, "good/repo")
			noError(t, err)
			equal(t, "mounted from another", mounted, code != 500)
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

// TestMountThatFailsIsAskedForOnce: it only saves an upload, and nothing waits for it.
func TestMountThatFailsIsAskedForOnce(t *testing.T) {
	data := randomBytes(100)
	fails := map[string]func(w http.ResponseWriter){
		"500":         func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"503":         func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"breaks off":  func(http.ResponseWriter) { breakOff() },
		"a bad state": func(w http.ResponseWriter) { w.WriteHeader(http.StatusInsufficientStorage) },
	}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			u := &uploads{t: t}
			var mounts atomic.Int32
			r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Query().Has("mount") {
					mounts.Add(1)
					fail(w)
					return
				}
				u.serve(w, req)
			})
			opened := 0
			for range 3 {
				mounted, err := r.MountOrPush(t.Context(), describeBytes(data), "first/repo", opener(data, &opened))
				noError(t, err)
				equal(t, "mounted", mounted, false)
			}
			equal(t, "mounts asked for", mounts.Load(), 1)
			equal(t, "uploads", opened, 3)
			equal(t, "pauses", len(c.Sleeps()), 0)
			equal(t, "given up", failures(t, r), 0)
		})
	}
}

// TestRegistryThatFailsOverAMountIsAskedForNoOther holds for all of its repositories;
// where no answer comes, from the second time on.
func TestRegistryThatFailsOverAMountIsAskedForNoOther(t *testing.T) {
	for want, fail := range map[int32]func(http.ResponseWriter){
		1:               func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		maxBrokenMounts: func(http.ResponseWriter) { breakOff() },
	} {
		data, opened := randomBytes(100), 0
		var mounts atomic.Int32
		client := New(newClock().options(t))
		host := serve(t, func(w http.ResponseWriter, req *http.Request) {
			switch {
			case req.URL.Query().Has("mount"):
				mounts.Add(1)
				fail(w)
			case req.Method == http.MethodPost:
				w.Header().Set("Location", "1")
				w.WriteHeader(http.StatusAccepted)
			default:
				io.Copy(io.Discard, req.Body)
				w.WriteHeader(http.StatusCreated)
			}
		})
		for i := range 4 {
			r := open(t, client, host, fmt.Sprintf("test/repo%d", i))
			for range 2 {
				_, err := r.MountOrPush(t.Context(), describeBytes(data), fmt.Sprintf("first/repo%d", i), opener(data, &opened))
				noError(t, err)
			}
		}
		equal(t, "mounts asked for", mounts.Load(), want)
		equal(t, "uploads", opened, 8)
	}
}

// TestPauseBeforeAMountIsWaitedOut: a rate limit is no failure of mounts.
func TestPauseBeforeAMountIsWaitedOut(t *testing.T) {
	var asked atomic.Int32
	r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	mounted, err := r.MountOrPush(t.Context(), describeBytes(randomBytes(100)), "first/repo", nil)
	noError(t, err)
	equal(t, "mounted", mounted, true)
	equal(t, "paused", len(c.Sleeps()) > 0, true)
}
