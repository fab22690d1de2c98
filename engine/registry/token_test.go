package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tokens answers requests for tokens, and passes those with a token on.
type tokens struct {
	uses []int // how often each token is accepted, the last one for all that follow
	next http.HandlerFunc

	mu     sync.Mutex
	scopes []string // of the tokens that were issued
	left   map[string]int
}

func (s *tokens) serve(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.URL.Path == "/token" {
		uses := s.uses[min(len(s.scopes), len(s.uses)-1)]
		s.scopes = append(s.scopes, strings.Join(req.URL.Query()["scope"], " "))
		token := fmt.Sprint("token", len(s.scopes))
		if s.left == nil {
			s.left = make(map[string]int)
		}
		s.left["Bearer "+token] = uses
		fmt.Fprintf(w, `{"token":%q}`, token)
		return
	}
	if by := req.Header.Get("Authorization"); s.left[by] > 0 {
		s.left[by]--
		s.next(w, req)
		return
	}
	w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, req.Host))
	giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// TestUploadTakesTheTokenOfItsPost: the PUT finds the first token expired.
func TestUploadTakesTheTokenOfItsPost(t *testing.T) {
	u := &uploads{t: t}
	service := &tokens{uses: []int{1, 5}, next: u.serve}
	r, _ := repository(t, service.serve)
	data, opened := randomBytes(1000), 0
	noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
	equal(t, "requests that got in", u.requests(), "POST POST PUT")
	equal(t, "times opened", opened, 2)
	equal(t, "tokens", len(service.scopes), 2)
	for _, scope := range service.scopes {
		equal(t, "scope", scope, "repository:test/repo:pull,push")
	}
}

func TestMountAsksForBothRepositories(t *testing.T) {
	service := &tokens{uses: []int{5}, next: func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusCreated) }}
	r, _ := repository(t, service.serve)
	mounted, err := r.Mount(t.Context(), describeBytes(randomBytes(10)), "first/repo")
	noError(t, err)
	equal(t, "mounted", mounted, true)
	if want := []string{"repository:first/repo:pull repository:test/repo:pull,push"}; !slices.Equal(service.scopes, want) {
		t.Errorf("the token is for %q, want %q", service.scopes, want)
	}
}
