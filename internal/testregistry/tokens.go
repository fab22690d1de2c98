package testregistry

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tokens holds the issued bearer tokens with their scopes. The zero value is ready to use.
type tokens struct {
	mu     sync.Mutex // guards all below
	last   int
	scopes map[string][]string
	ends   map[string]time.Time // of those that do not last for ever
}

// issue returns a token that is valid until end; the zero time means for ever.
func (t *tokens) issue(scopes []string, end time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.scopes == nil {
		t.scopes, t.ends = map[string][]string{}, map[string]time.Time{}
	}
	t.last++
	token := "token-" + strconv.Itoa(t.last)
	t.scopes[token] = scopes
	if !end.IsZero() {
		t.ends[token] = end
	}
	return token
}

func (t *tokens) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.scopes)
}

// cover reports whether a token is valid now for an action on a resource, as in
// "repository:a/b" and "pull".
func (t *tokens) cover(token, resource, action string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if end, ends := t.ends[token]; ends && !now.Before(end) {
		return false
	}
	for _, scope := range t.scopes[token] {
		i := strings.LastIndexByte(scope, ':')
		if i < 0 || scope[:i] != resource {
			continue
		}
		actions := strings.Split(scope[i+1:], ",")
		if slices.Contains(actions, action) || slices.Contains(actions, "*") {
			return true
		}
	}
	return false
}
