//go:build unix

package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// putHelper puts a script on PATH as the helper "slow", which writes the process id of a program that
// keeps its output open to the FIFO that is returned.
func putHelper(t *testing.T, script string) (started string) {
	t.Helper()
	folder := t.TempDir()
	started = filepath.Join(folder, "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Skip(err)
	}
	script = "#!/bin/sh\nsleep 600 &\necho $! >" + started + "\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(folder, "docker-credential-slow"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	return started
}

// killLater ends the program of a helper when the test has ended. It waits until it has started.
func killLater(t *testing.T, started string) {
	var pid int
	text, err := os.ReadFile(started)
	if err == nil {
		_, err = fmt.Sscan(string(text), &pid)
	}
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
}

// TestCancelledHelper cancels a helper that is a script, as that of gcloud is.
func TestCancelledHelper(t *testing.T) {
	started := putHelper(t, "wait")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		killLater(t, started)
		cancel()
	}()
	_, err := runHelper(ctx, "slow", "registry.example")
	if failed, is := errors.AsType[*HelperError](err); !is || failed.Helper != "docker-credential-slow" {
		t.Errorf("got %v", err)
	}
}

// TestHelperWithAnAgent takes the credential of a helper that leaves a program behind.
func TestHelperWithAnAgent(t *testing.T) {
	started := putHelper(t, `echo '{"Username":"me","Secret":"p"}'`)
	go killLater(t, started)
	got, err := runHelper(t.Context(), "slow", "registry.example")
	if want := (auth.Credential{Username: "me", Password: "p"}); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
}
