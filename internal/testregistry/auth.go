package testregistry

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// resource and action return what a token must cover.
func (c call) resource() string {
	if c.noun == "catalog" {
		return "registry:catalog"
	}
	return "repository:" + c.repo
}

func (c call) action() string {
	switch {
	case c.noun == "catalog":
		return "*"
	case c.method == http.MethodDelete:
		return "delete"
	case c.method == http.MethodGet && c.noun != "upload", c.method == http.MethodHead:
		return "pull"
	}
	return "push"
}

// allowed reports whether a request has the required credentials.
func (r *Registry) allowed(req *http.Request, c call) bool {
	if !r.options.Token {
		return r.options.Username == "" || r.knows(req)
	}
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if c.noun == "base" {
		return ok
	}
	return ok && r.tokens.cover(token, c.resource(), c.action(), r.options.Now())
}

func (r *Registry) knows(req *http.Request) bool {
	user, password, ok := req.BasicAuth()
	return ok && user == r.options.Username && password == r.options.Password
}

func (r *Registry) challenge(w http.ResponseWriter, c call) {
	challenge := `Basic realm="testregistry"`
	if r.options.Token {
		challenge = fmt.Sprintf(`Bearer realm="%s/token",service="%s"`, r.URL, r.Host)
		if c.noun != "base" {
			challenge += fmt.Sprintf(`,scope="%s:%s"`, c.resource(), c.scopeActions())
		}
	}
	w.Header().Set("Www-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// scopeActions returns the actions in a challenge: push includes pull.
func (c call) scopeActions() string {
	if c.action() == "push" {
		return "pull,push"
	}
	return c.action()
}

// serveToken issues a token for all requested scopes, by
// https://distribution.github.io/distribution/spec/auth/token/ (GET) and
// https://distribution.github.io/distribution/spec/auth/oauth/ (POST).
func (r *Registry) serveToken(w http.ResponseWriter, req *http.Request) {
	if !r.options.Token {
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such endpoint")
		return
	}
	if req.ParseForm() != nil || !r.grants(req) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	var scopes []string
	for _, scope := range req.Form["scope"] {
		scopes = append(scopes, strings.Fields(scope)...)
	}
	var end time.Time
	if life := r.options.TokenLife; life > 0 {
		end = r.options.Now().Add(life)
	}
	token := r.tokens.issue(scopes, end)
	serveJSON(w, http.StatusOK, "application/json", map[string]any{"token": token, "access_token": token, "expires_in": 3600})
}

func (r *Registry) grants(req *http.Request) bool {
	if req.Method != http.MethodPost {
		return r.options.Username == "" || r.knows(req)
	}
	switch req.PostForm.Get("grant_type") {
	case "password":
		return req.PostForm.Get("username") == r.options.Username && req.PostForm.Get("password") == r.options.Password
	case "refresh_token":
		return r.options.IdentityToken != "" && req.PostForm.Get("refresh_token") == r.options.IdentityToken
	}
	return false
}
