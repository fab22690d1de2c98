package testregistry

import "testing"

// CheckSame fails a test if a target does not have all that a source has, below a namespace,
// or has anything else.
func CheckSame(t testing.TB, source, target *Registry, namespace string) {
	t.Helper()
	want, err := Snapshot(t.Context(), source.Access())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Snapshot(t.Context(), target.Access())
	if err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Fatal("the source is empty")
	}
	for _, line := range Diff(want.Prefix(namespace), got) {
		t.Error(line)
	}
}

// CheckCounts fails a test if a registry did not get exactly so many requests of each kind,
// and none of a kind that is not listed.
func CheckCounts(t testing.TB, r *Registry, want map[string]int) {
	t.Helper()
	got := r.Counts()
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%s: %d requests, want %d", kind, got[kind], n)
		}
	}
	for kind, n := range got {
		if _, listed := want[kind]; !listed && n > 0 {
			t.Errorf("%s: %d requests, want none", kind, n)
		}
	}
}
