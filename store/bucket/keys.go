package bucket

import (
	"errors"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keyring has the credentials of a client. It is safe for concurrent use.
type keyring struct {
	*credentials.Credentials

	mu         sync.Mutex        // guards the following fields
	value      credentials.Value // those that were found last
	generation int               // counts the credentials that were found; 0 before the first
}

// current returns the number of the credentials that a request is sent with now.
func (k *keyring) current() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.generation == 0 {
		k.look()
	}
	return k.generation
}

// isEmpty reports whether no credentials were found, so that requests are not signed.
func (k *keyring) isEmpty() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value.AccessKeyID == ""
}

// renew asks for credentials again, since those of a request were refused: a file may have
// been rewritten, a session renewed. It reports whether there are other ones now.
func (k *keyring) renew(refused int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.generation == refused {
		k.Expire()
		k.look()
	}
	return k.generation != refused
}

// look counts the credentials of the chain if they are new.
func (k *keyring) look() {
	now, err := k.GetWithContext(nil)
	if err != nil || k.generation > 0 && now == k.value {
		return
	}
	k.value = now
	k.generation++
}

// isOfKeys reports whether other credentials may help. The response to a HEAD has no code, and
// AWS reports an expired session with 400.
func isOfKeys(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized || isExpired(err) ||
		e.Op == "stat" && e.Status == http.StatusBadRequest)
}
