package lockfile

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// FuzzParseLock holds that a lock is written so that it loads to the same lock, that the bytes
// do not change when it is written again, and that scanAll agrees with the YAML decoder.
func FuzzParseLock(f *testing.F) {
	bad, err := os.ReadFile(specs + "/lock/bad.yaml")
	if err != nil {
		f.Fatal(err)
	}
	var good bytes.Buffer
	sizes := []Repository{{reference(f, "ghcr.io/acme/app"), 12345}, {reference(f, "[::1]:5000/a"), 1}}
	if _, err := (&Lock{Artifacts: locked(f), Repositories: sizes}).WriteTo(&good); err != nil {
		f.Fatal(err)
	}
	f.Add(bad)
	f.Add(good.Bytes())
	f.Add([]byte(strings.Replace(good.String(), `"null"`, `"\u00e9\xe9\U0001F600\a\"'#\\/"`, 1)))
	f.Add([]byte(strings.Replace(good.String(), `size: 7`, `size: 0x7`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := Parse("mirror.lock.yaml", data)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if _, err := format.Decode("mirror.lock.yaml", data, new(document)); err != nil {
			t.Errorf("it is read line by line, but %v", err)
		}
		var first, second bytes.Buffer
		if _, err := lock.WriteTo(&first); err != nil {
			t.Fatalf("it loads, but cannot be written: %v", err)
		}
		var d document
		if _, err := format.Decode("mirror.lock.yaml", first.Bytes(), &d); err != nil {
			t.Fatalf("%v\n%s", err, first.String())
		}
		scanned, ok := scanAll(first.Bytes())
		if ok != (len(lock.Artifacts) > 0) {
			t.Errorf("what was written is not read line by line:\n%s", first.String())
		}
		all := []*Lock{{Artifacts: d.Artifacts, Repositories: d.Repositories}}
		if ok {
			all = append(all, scanned)
		}
		for _, again := range all {
			if len(again.Artifacts)+len(lock.Artifacts) > 0 && !reflect.DeepEqual(again.Artifacts, lock.Artifacts) ||
				len(again.Repositories)+len(lock.Repositories) > 0 && !reflect.DeepEqual(again.Repositories, lock.Repositories) {
				t.Errorf("got %+v, want %+v", again, lock)
			}
		}
		if _, err := all[0].WriteTo(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v\n%s\nbecomes\n%s", err, first.String(), second.String())
		}
	})
}

func checkFaults(t *testing.T, err error) {
	t.Helper()
	faults, ok := errors.AsType[*config.LoadError](err)
	if !ok {
		t.Fatalf("%T: %v, want a *LoadError", err, err)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(faults.Faults) {
		t.Errorf("%d faults in %d lines:\n%v", len(faults.Faults), lines, err)
	}
	for _, fault := range faults.Faults {
		if fault.Line < 1 || fault.Column < 1 || fault.Message == "" {
			t.Errorf("a fault without a place: %+v", fault)
		}
	}
}
