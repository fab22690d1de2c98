package cli

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestNoSecretIsShownInAnyEncoding has a token service and a registry that quote secrets,
// plain and encoded.
func TestNoSecretIsShownInAnyEncoding(t *testing.T) {
	const password = "p@ss wörd/1"
	encoded := map[string]string{
		"base64": base64.StdEncoding.EncodeToString([]byte(password)), "base64url": base64.URLEncoding.EncodeToString([]byte("x" + password)),
		"hex": hex.EncodeToString([]byte(password)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(password))),
		"percent": strings.ToLower(url.QueryEscape(password)), "mixed": "%70@%73s+w%c3%B6rd%2f1", "plain": password,
	}
	var quoted []string
	for name, text := range encoded {
		quoted = append(quoted, name+" "+text)
	}
	slices.Sort(quoted)
	const tokens = `refresh_token=opaque-1&access_token=opaque-2&grant_type=password {"access_token":"opaque-3"} refresh_token%3Dopaque-4`
	quoted = append(quoted, tokens)
	refuse := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": strings.Join(quoted, " ")}}})
	}
	for name, challenge := range map[string]string{"a registry": `Basic realm="echo"`, "a token service": `Bearer realm="http://%s/token",service="echo"`} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("HOME", ".")
			t.Setenv("DOCKER_CONFIG", "nowhere")
			echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "" && req.URL.Path != "/token" {
					w.Header().Set("WWW-Authenticate", strings.ReplaceAll(challenge, "%s", req.Host))
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				refuse(w)
			}))
			defer echo.Close()
			host := strings.TrimPrefix(echo.URL, "http://")
			code, stdout, stderr := try(t, password+"\n", "backup", "-d", "-o", "dir/", "-u", "me", "--password-stdin",
				"--format", "json", "--report", "report.json", host+"/app:v1")
			report, err := os.ReadFile("report.json")
			if err != nil || code != 1 {
				t.Fatalf("exit code %d, %v", code, err)
			}
			for where, text := range map[string]string{"standard error": stderr, "the events": stdout, "the report": string(report)} {
				if !strings.Contains(text, "base64url xxxxx") {
					t.Errorf("%s does not quote it: %s", where, text)
				}
				for name, secret := range encoded {
					if strings.Contains(text, secret) {
						t.Errorf("%s has the password, %s: %s", where, name, text)
					}
				}
				if strings.Contains(text, "opaque") {
					t.Errorf("%s has a token: %s", where, text)
				}
			}
		})
	}
}
