package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/redact"
	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// TestReportHasNoSecrets has a registry that quotes every request in its errors.
func TestReportHasNoSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", ".")
	t.Setenv("DOCKER_CONFIG", "nowhere")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		username, password, ok := req.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="echo"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		message := strings.Join([]string{req.Header.Get("Authorization"), username, password, req.Header.Get("X-Secret"),
			"https://" + username + ":" + password + "@" + req.Host}, " ")
		w.WriteHeader(http.StatusForbidden)
		json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": message}}})
	}))
	defer echo.Close()
	host := strings.TrimPrefix(echo.URL, "http://")
	code, _, stderr := try(t, "geheimes Wort\n", "backup", "-d", "-o", "dir/", "-u", "me", "--password-stdin",
		"-H", "X-Secret: another one", "--report", "report.json", host+"/app:v1")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	data, err := os.ReadFile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := stories.ValidateReport(data); err != nil {
		t.Error(err)
	}
	for _, text := range []string{string(data), stderr} {
		if !strings.Contains(text, redact.Mask) || !strings.Contains(text, "403") {
			t.Errorf("the registry was not quoted: %s", text)
		}
		for _, secret := range []string{"geheimes", "another one", "bWU6Z2VoZWltZXMgV29ydA"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q stands in %s", secret, text)
			}
		}
	}
}
