package bucket

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

// awsFiles writes files of AWS, to which the environment of the test leads alone.
func awsFiles(t *testing.T, config, credentials string) (credentialsFile string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	folder := t.TempDir()
	for name, content := range map[string]string{"config": config, "credentials": credentials} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(folder, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(folder, "credentials"))
	return filepath.Join(folder, "credentials")
}

const keys = "aws_access_key_id = " + testbucket.AccessKey + "\naws_secret_access_key = " + testbucket.SecretKey + "\n"

// TestCredentialsOfFiles reads a bucket with the credentials of a profile, and tells of them.
func TestCredentialsOfFiles(t *testing.T) {
	for name, tt := range map[string]struct{ config, credentials, profile string }{
		"default":              {"", "[default]\n" + keys, ""},
		"profile":              {"", "[default]\naws_access_key_id=x\naws_secret_access_key=y\n[nightly]\n" + keys, "nightly"},
		"profile of config":    {"[profile nightly]\nregion = us-east-1\n" + keys, "", "nightly"},
		"credentials go first": {"[profile nightly]\naws_access_key_id=x\naws_secret_access_key=y\n", "[nightly]\n" + keys, "nightly"},
	} {
		t.Run(name, func(t *testing.T) {
			testbucket.New(t)
			awsFiles(t, tt.config, tt.credentials)
			t.Setenv("AWS_PROFILE", tt.profile)
			var mu sync.Mutex
			var told []string
			c, err := New(testbucket.Name, Options{Secret: func(_, secret string) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, secret)
			}})
			if err != nil {
				t.Fatal(err)
			}
			put(t, c, "x", "data", Condition{})
			if !slices.Contains(told, testbucket.SecretKey) {
				t.Errorf("told of %d secrets, and not of the key", len(told))
			}
		})
	}
}

// TestRegionAndEndpoint take the first of the spec, the variables and the profile.
func TestRegionAndEndpoint(t *testing.T) {
	const config = "[default]\nregion = eu-north-1\n[profile a]\nregion=eu-west-1 # there\nendpoint_url = http://127.0.0.1:1\ns3 =\n  region = nested\n[profile ab]\nregion = wrong\n"
	for name, tt := range map[string]struct {
		variables    map[string]string
		settings     Settings
		region, host string
	}{
		"nothing":     {nil, Settings{}, "eu-north-1", "s3.amazonaws.com"},
		"the profile": {map[string]string{"AWS_PROFILE": "a"}, Settings{}, "eu-west-1", "127.0.0.1:1"},
		"the default": {map[string]string{"AWS_PROFILE": "a", "AWS_DEFAULT_REGION": "us-west-1"}, Settings{}, "us-west-1", "127.0.0.1:1"},
		"a variable":  {map[string]string{"AWS_PROFILE": "a", "AWS_DEFAULT_REGION": "x", "AWS_REGION": "us-west-2", "AWS_ENDPOINT_URL": "http://127.0.0.1:2"}, Settings{}, "us-west-2", "127.0.0.1:2"},
		"the spec":    {map[string]string{"AWS_PROFILE": "a", "AWS_REGION": "x", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:2"}, Settings{Region: "eu-central-1", Endpoint: "http://127.0.0.1:3"}, "eu-central-1", "127.0.0.1:3"},
		"no profile":  {map[string]string{"AWS_PROFILE": "none", "AWS_ENDPOINT_URL": "http://127.0.0.1:2"}, Settings{}, "us-east-1", "127.0.0.1:2"},
	} {
		t.Run(name, func(t *testing.T) {
			awsFiles(t, config, "")
			t.Setenv("AWS_ENDPOINT_URL", "")
			t.Setenv("AWS_ENDPOINT_URL_S3", "")
			for variable, value := range tt.variables {
				t.Setenv(variable, value)
			}
			c, err := New("name", Options{Settings: tt.settings})
			if err != nil {
				t.Fatal(err)
			}
			if region, err := c.core.GetBucketLocation(t.Context(), "name"); c.host != tt.host || region != tt.region {
				t.Errorf("%s in %q (%v), want %s in %q", c.host, region, err, tt.host, tt.region)
			}
		})
	}
}

// TestExpiredSession reads the credentials again: a file with new ones helps, also a client
// that sends each request once, and one with the same is no reason to send it again.
func TestExpiredSession(t *testing.T) {
	server := testbucket.New(t)
	file := awsFiles(t, "", "[default]\n"+keys+"aws_session_token = the-old-session\n")
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if c.Header.Get("X-Amz-Security-Token") != "" {
			return testbucket.Status(http.StatusForbidden, "ExpiredToken")
		}
		return nil
	})
	_, err := open(t, testbucket.Name).Put(t.Context(), "x", []byte("data"), Condition{})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "ExpiredToken" || strings.Contains(err.Error(), "the-old-session") {
		t.Errorf("%v", err)
	}
	if n := server.Requests()["PUT"]; n != 1 {
		t.Errorf("%d requests with an expired session", n)
	}
	c := open(t, testbucket.Name)
	if _, err := c.Stat(t.Context(), "x"); err == nil {
		t.Error("an expired session is accepted")
	}
	if err := os.WriteFile(file, []byte("[default]\n"+keys), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, c.Once(), "x", "data", Condition{})
	put(t, c, "x", "data", Condition{})
	if err := os.WriteFile(file, []byte("[default]\n"+keys+"aws_session_token = another-old-session\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = open(t, testbucket.Name)
	if _, err := c.Stat(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "ExpiredToken") {
		t.Errorf("Stat does not say why: %v", err)
	}
	if err := os.WriteFile(file, []byte("[default]\n"+keys), 0o600); err != nil {
		t.Fatal(err)
	}
	if size, err := c.Stat(t.Context(), "x"); err != nil || size != 4 {
		t.Errorf("Stat after the renewal: %d, %v", size, err)
	}
}

// TestCredentialsThatAlwaysChange ends also if each answer refuses them.
func TestCredentialsThatAlwaysChange(t *testing.T) {
	server := testbucket.New(t)
	file := awsFiles(t, "", "[default]\n"+keys)
	n := 0
	server.Inject(func(testbucket.Call) *testbucket.Fault {
		n++
		if err := os.WriteFile(file, fmt.Appendf(nil, "[default]\n%saws_session_token = session-%d\n", keys, n), 0o600); err != nil {
			t.Error(err)
		}
		return testbucket.Status(http.StatusForbidden, "ExpiredToken")
	})
	if _, err := open(t, testbucket.Name).Put(t.Context(), "x", []byte("data"), Condition{}); !errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
	if got := server.Requests()["PUT"]; got != 1+maxRenewals {
		t.Errorf("%d requests", got)
	}
}

// TestWrongClock is not tried again.
func TestWrongClock(t *testing.T) {
	server := testbucket.New(t)
	server.Inject(func(testbucket.Call) *testbucket.Fault {
		return testbucket.Status(http.StatusForbidden, "RequestTimeTooSkewed")
	})
	_, err := open(t, testbucket.Name).Put(t.Context(), "x", []byte("data"), Condition{})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "RequestTimeTooSkewed" || server.Requests()["PUT"] != 1 {
		t.Errorf("%v", err)
	}
}

// TestCredentialsThatExpire: a session ends, and another program has written new credentials
// into the file of AWS. The response to a HEAD has no code.
func TestCredentialsThatExpire(t *testing.T) {
	server := testbucket.New(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(key string) {
		t.Helper()
		text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key, testbucket.SecretKey)
		if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
			t.Error(err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	write(testbucket.AccessKey)
	c := open(t, testbucket.Name)
	put(t, c, "a", "data", Condition{})
	for _, code := range []string{"ExpiredToken", "InvalidAccessKeyId", "AccessDenied"} {
		for name, read := range map[string]func() error{
			"GET":  func() error { _, _, err := c.Get(t.Context(), "a", 64<<20); return err },
			"HEAD": func() error { _, err := c.Head(t.Context(), "a"); return err },
		} {
			old := "old-" + strings.ToLower(code+name)
			write(old)
			c.keys.renew(c.keys.current())
			server.Inject(func(call testbucket.Call) *testbucket.Fault {
				if strings.Contains(call.Header.Get("Authorization"), old) {
					write(testbucket.AccessKey)
					return testbucket.Status(http.StatusForbidden, code)
				}
				return nil
			})
			var clients sync.WaitGroup
			for range 8 {
				clients.Go(func() {
					if err := read(); err != nil {
						t.Errorf("%s, %s: %v", code, name, err)
					}
				})
			}
			clients.Wait()
		}
	}
	server.Inject(func(testbucket.Call) *testbucket.Fault {
		return testbucket.Status(http.StatusForbidden, "AccessDenied")
	})
	server.Requests()
	if _, _, err := c.Get(t.Context(), "a", 64<<20); !errors.Is(err, ErrRefused) || !errors.Is(err, ErrUnavailable) || server.Requests()["GET"] != 1 {
		t.Errorf("without new ones: %v", err)
	}
}
