package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	tokenIssuer  = "e2e issuer"
	tokenService = "e2e registry"
	tokenKeyID   = "e2e"
)

// startTokenServer starts a server that gives any token to a client with the password, and
// returns distribution's configuration for it.
func startTokenServer(t *testing.T, dir string) map[string]any {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, given, _ := req.BasicAuth()
		if user != username || given != password {
			http.Error(w, "incorrect username or password", http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"token": token(t, key, req.URL.Query()["scope"])})
	}))
	t.Cleanup(server.Close)
	// oras-go takes a loopback realm from a registry of the same name alone.
	realm := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return map[string]any{
		"realm":   realm + "/token",
		"service": tokenService,
		"issuer":  tokenIssuer,
		"jwks":    file(t, dir, "jwks.json", publicKeys(t, key)),
	}
}

// token is a JWT by https://distribution.github.io/distribution/spec/auth/jwt/.
func token(t *testing.T, key *ecdsa.PrivateKey, scopes []string) string {
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	granted := []access{}
	for _, scope := range scopes {
		kind, rest, _ := strings.Cut(scope, ":")
		name, actions, _ := strings.Cut(rest, ":")
		granted = append(granted, access{kind, name, strings.Split(actions, ",")})
	}
	now := time.Now().Unix()
	signed := encoded(t, map[string]string{"typ": "JWT", "alg": "ES256", "kid": tokenKeyID}) + "." +
		encoded(t, map[string]any{
			"iss": tokenIssuer, "aud": tokenService, "sub": username,
			"iat": now, "nbf": now - 60, "exp": now + 3600, "access": granted,
		})
	hash := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
	if err != nil {
		t.Error(err)
		return ""
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// publicKeys is a JWK set with one key.
func publicKeys(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	point, err := key.PublicKey.Bytes() // 0x04, x, y
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": tokenKeyID,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func encoded(t *testing.T, document any) string {
	data, err := json.Marshal(document)
	if err != nil {
		t.Error(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}
