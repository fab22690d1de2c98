package bucket

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

// TestFaults checks that transient faults cost retries and nothing else.
func TestFaults(t *testing.T) {
	server := testbucket.New(t)
	c := open(t, testbucket.Name)
	content := strings.Repeat("0123456789abcdef", 20_000)
	for name, fault := range map[string]*testbucket.Fault{
		"slow down": testbucket.SlowDown(),
		"reset":     testbucket.Reset(),
		"lost":      testbucket.Lost(),
		"internal":  testbucket.Status(http.StatusInternalServerError, "InternalError"),
	} {
		t.Run(name, func(t *testing.T) {
			twice := func(r testbucket.Call) *testbucket.Fault {
				if r.N <= 2 {
					return fault
				}
				return nil
			}
			key := "fault " + name
			server.Inject(twice)
			put(t, c, key, content, Condition{})
			if data, _, err := c.Get(t.Context(), key, 64<<20); err != nil || string(data) != content {
				t.Errorf("read %d bytes, %v", len(data), err)
			}
			if _, err := c.PutContent(t.Context(), key+" written again", written(content), Condition{}); err != nil {
				t.Fatal(err)
			}
			if data, _, err := c.Get(t.Context(), key+" written again", 64<<20); err != nil || string(data) != content {
				t.Errorf("read %d bytes of content that was written again, %v", len(data), err)
			}
		})
	}
}

func TestReaderResumes(t *testing.T) {
	server := testbucket.New(t)
	c := open(t, testbucket.Name)
	content := strings.Repeat("0123456789abcdef", 100_000)
	put(t, c, "x", content, Condition{})
	server.Inject(func(r testbucket.Call) *testbucket.Fault {
		if r.N <= 4 {
			return testbucket.Cut(200_000)
		}
		return nil
	})
	data, _, err := c.Get(t.Context(), "x", 64<<20)
	if err != nil || string(data) != content {
		t.Errorf("read %d of %d bytes, %v", len(data), len(content), err)
	}
}

// TestLasting checks that a fault that stays ends with its reason, and without a secret.
func TestLasting(t *testing.T) {
	server := testbucket.New(t)
	c := open(t, testbucket.Name)
	server.Inject(func(testbucket.Call) *testbucket.Fault { return testbucket.SlowDown() })
	_, err := c.Put(t.Context(), "x", []byte("data"), Condition{})
	if err == nil || !strings.Contains(err.Error(), "503") || server.Requests()["PUT"] != maxTries {
		t.Errorf("%v", err)
	}
	server.Inject(nil)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
	_, err = open(t, testbucket.Name).Put(t.Context(), "x", []byte("data"), Condition{})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Status != http.StatusForbidden || e.Code != "SignatureDoesNotMatch" {
		t.Errorf("%v", err)
	}
	if text := fmt.Sprint(err); strings.Contains(text, "wrong-secret") || strings.Contains(text, testbucket.AccessKey) {
		t.Errorf("the error has a secret: %s", text)
	}
}
