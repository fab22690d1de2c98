package loopback

import "testing"

func TestIs(t *testing.T) {
	for hostname, want := range map[string]bool{
		"localhost":          true,
		"LOCALHOST":          true,
		"LocalHost.":         true,
		"registry.localhost": true,
		"Registry.LOCALHOST": true,
		"127.0.0.1":          true,
		"127.1.2.3":          true,
		"::1":                true,
		"::ffff:127.0.0.1":   true,
		"":                   false,
		"localhost.example":  false,
		"mylocalhost":        false,
		"128.0.0.1":          false,
		"::ffff:10.0.0.1":    false,
		"fe80::1":            false,
	} {
		if got := Is(hostname); got != want {
			t.Errorf("Is(%q) = %v", hostname, got)
		}
	}
}
