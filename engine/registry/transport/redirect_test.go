package transport

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestRedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, req *http.Request) { t.Error("the plain host was asked") })
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			w.Header().Set("Location", "http://"+plain+"/upload")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		http.Redirect(w, req, "http://"+plain+"/blob", http.StatusTemporaryRedirect)
	}, nil)
	r := overTLS(t, host, Settings{CAFile: ca})
	if _, err := r.FetchBlob(t.Context(), subject, 0, subject.Size); !errors.Is(err, ErrDowngrade) {
		t.Errorf("download: %v", err)
	}
	opened := 0
	if err := r.PushBlob(t.Context(), subject, opener(imageManifest, &opened)); !errors.Is(err, ErrDowngrade) {
		t.Errorf("upload: %v", err)
	}
}

func TestRedirectLoop(t *testing.T) {
	n := 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n++
		http.Redirect(w, req, req.URL.Path, http.StatusFound)
	})
	if _, err := r.Resolve(t.Context(), "v1"); err == nil {
		t.Error("no error")
	}
	equal(t, "requests", n, maxRedirects)
	equal(t, "places held", len(r.host.slots), 0)
}

// TestSignatureLeavesWithTheOrigin has chains of redirects of a signed request;
// one that comes back is not signed again.
func TestSignatureLeavesWithTheOrigin(t *testing.T) {
	for chain, want := range map[string]string{
		"https://r.example/1 https://r.example/2":                            "mine",
		"https://r.example/1 https://r.example:443/2":                        "mine",
		"https://r.example/1 https://r.example:8443/2":                       "",
		"https://r.example/1 https://cdn.example/2":                          "",
		"https://r.example/1 https://cdn.example/2 https://r.example/3":      "",
		"http://r.example/1 https://r.example/2":                             "",
		"https://r.example/1 https://r.example/2 https://sub.r.example:443/": "",
	} {
		var via []*http.Request
		for u := range strings.FieldsSeq(chain) {
			req, err := http.NewRequest(http.MethodGet, u, nil)
			noError(t, err)
			via = append(via, req)
		}
		last := via[len(via)-1]
		last.Header.Set("Authorization", "mine")
		noError(t, checkRedirect(last, via[:len(via)-1]))
		equal(t, chain, last.Header.Get("Authorization"), want)
	}
}

func TestRelocate(t *testing.T) {
	for _, test := range []struct{ base, location, want string }{
		{"https://r.example/v2/x/blobs/uploads/", "/v2/x/blobs/uploads/1?s=2", "https://r.example/v2/x/blobs/uploads/1?s=2"},
		{"https://r.example/v2/x/blobs/uploads/", "1", "https://r.example/v2/x/blobs/uploads/1"},
		{"https://r.example/v2/", "http://r.example/1", "https://r.example/1"},
		{"https://r.example:8443/v2/", "https://r.example/1", "https://r.example:8443/1"},
		{"https://r.example:443/v2/", "http://r.example/1", "https://r.example:443/1"},
		{"http://r.example/v2/", "https://r.example/1", "https://r.example/1"},
		{"https://r.example/v2/", "https://store.example/1", "https://store.example/1"},
		{"https://r.example/v2/", "http://store.example/1", ""},
		{"https://r.example/v2/", "http://r.example:5000/1", ""},
		{"https://r.example/v2/", "ftp://r.example/1", ""},
	} {
		base, err := http.NewRequest(http.MethodGet, test.base, nil)
		noError(t, err)
		got := ""
		if u, err := ResolveLocation(base.URL, test.location); err == nil {
			got = u.String()
		}
		equal(t, test.base+" "+test.location, got, test.want)
	}
}
