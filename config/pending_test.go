package config

import (
	"reflect"
	"strings"
	"testing"
)

// TestLockPending writes and loads a lock with tags that wait, by both parsers.
func TestLockPending(t *testing.T) {
	lock := &Lock{Artifacts: locked(t), Repositories: []LockedRepository{{reference(t, "[::1]:5000/a"), 7}}, Pending: []PendingArtifact{
		{reference(t, "ghcr.io/acme/app:v3"), someSHA512, "2026-11-26"}, {reference(t, "[::1]:5000/a:v1"), someSHA256, "2026-11-25"},
	}}
	var b strings.Builder
	if _, err := lock.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const want = "pending:\n  - {reference: \"[::1]:5000/a:v1\", digest: " + someSHA256 + ", firstSeen: \"2026-11-25\"}\n" +
		"  - {reference: ghcr.io/acme/app:v3, digest: " + someSHA512 + ", firstSeen: \"2026-11-26\"}\nrepositories:\n"
	if !strings.Contains(b.String(), "}\n"+want) {
		t.Errorf("got\n%s", b.String())
	}
	if _, ok := scanLock([]byte(b.String())); !ok {
		t.Error("it is not read line by line")
	}
	for _, text := range []string{b.String(), "# reviewed\n" + b.String()} {
		read, err := ParseLock("mirror.lock.yaml", []byte(text))
		if err != nil || !reflect.DeepEqual(read, lock.sorted()) {
			t.Errorf("got %+v, %v", read, err)
		}
	}
	if n := len(lock.Selections("x")); n != len(lock.Artifacts) {
		t.Errorf("%d artifacts are selected, want %d: what waits is not", n, len(lock.Artifacts))
	}
}

func TestLockPendingFaults(t *testing.T) {
	good := "  - {reference: a.io/b:v1, digest: " + someSHA256 + ", firstSeen: \"2026-11-26\"}\n"
	for want, lines := range map[string]string{
		"pending[1]: a.io/b:v1 is already in pending[0]": "pending:\n" + good + good,
		"is not a tag":       "pending:\n" + strings.Replace(good, ":v1", "", 1),
		"invalid day":        "pending:\n" + strings.Replace(good, "11-26", "02-30", 1),
		"put it in quotes":   "pending:\n" + strings.ReplaceAll(good, `"`, ""),
		"digest":             "pending:\n" + strings.Replace(good, "sha256:", "sha256:x", 1),
		"firstSeen: missing": "pending:\n" + strings.Replace(good, `, firstSeen: "2026-11-26"`, "", 1),
		"unknown key":        "pending:\n" + strings.Replace(good, "firstSeen", "seen", 1),
	} {
		_, err := ParseLock("lock", []byte("apiVersion: "+APIVersion+"\nkind: MirrorLock\nartifacts: []\n"+lines))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, p := range map[string]PendingArtifact{
		"is not a tag": {reference(t, "a.io/b"), someSHA256, "2026-11-26"}, "invalid day": {reference(t, "a.io/b:v1"), someSHA256, "26.11."},
	} {
		if _, err := (&Lock{Pending: []PendingArtifact{p}}).WriteTo(new(strings.Builder)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
