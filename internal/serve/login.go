package serve

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/semaphore"
)

// PasswordFileError reports an invalid line of a file of passwords.
type PasswordFileError struct {
	Path   string
	Line   int // from 1; 0 for the whole file
	Reason string
}

func (e *PasswordFileError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Reason)
}

// Passwords are the users of an htpasswd file with bcrypt hashes.
type Passwords struct {
	hashes map[string][]byte
	// absent is compared for a user that does not exist, so that the time of an answer does
	// not tell which users there are.
	absent []byte
	// checks bounds the hashes that are computed at once: one takes 50 ms of a core.
	checks *semaphore.Weighted

	secret [sha256.Size]byte // of this process

	mu       sync.Mutex                   // guards accepted
	accepted map[string][sha256.Size]byte // by user: an HMAC of the password
}

// ReadPasswords reads an htpasswd file: USER:HASH lines, empty lines, and comments that begin
// with #. A hash that is not bcrypt's is a *PasswordFileError.
func ReadPasswords(path string) (*Passwords, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &Passwords{hashes: make(map[string][]byte), checks: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))),
		accepted: make(map[string][sha256.Size]byte)}
	rand.Read(p.secret[:]) // never fails
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if reason := p.add(line); reason != "" {
			return nil, &PasswordFileError{path, number, reason}
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(p.hashes) == 0:
		return nil, &PasswordFileError{path, 0, "has no users"}
	}
	return p, nil
}

// add adds a line, or returns why it is invalid. It does not quote hashes.
func (p *Passwords) add(line string) (reason string) {
	user, hash, ok := strings.Cut(line, ":")
	switch {
	case !ok || user == "":
		return "not USER:HASH"
	case p.hashes[user] != nil:
		return fmt.Sprintf("the user %q is there twice", user)
	}
	if _, err := bcrypt.Cost([]byte(hash)); err != nil {
		return fmt.Sprintf("the password of %q is not hashed with bcrypt", user)
	}
	p.hashes[user] = []byte(hash)
	if p.absent == nil {
		p.absent = p.hashes[user]
	}
	return ""
}

// check reports whether a password is that of a user. An accepted one is not hashed again.
func (p *Passwords) check(ctx context.Context, user, password string) bool {
	mac := hmac.New(sha256.New, p.secret[:])
	mac.Write([]byte(password))
	sum := [sha256.Size]byte(mac.Sum(nil))
	p.mu.Lock()
	accepted, known := p.accepted[user]
	p.mu.Unlock()
	if known && hmac.Equal(accepted[:], sum[:]) {
		return true
	}
	hash, exists := p.hashes[user]
	if !exists {
		hash = p.absent
	}
	if p.checks.Acquire(ctx, 1) != nil {
		return false // the client is gone
	}
	defer p.checks.Release(1)
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !exists {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted[user] = sum
	return true
}

// login checks the credentials of a request, or asks for them.
func (r *response) login(p *Passwords, req *http.Request) bool {
	user, password, ok := req.BasicAuth()
	if ok && p.check(req.Context(), user, password) {
		r.user = user
		return true
	}
	r.Header().Set("WWW-Authenticate", `Basic realm="oras-mirror", charset="UTF-8"`)
	message := "authentication required"
	if ok {
		message = "wrong user name or password"
	}
	r.refuse(refusal(http.StatusUnauthorized, "UNAUTHORIZED", "%s", message))
	return false
}
