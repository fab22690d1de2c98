package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestKilledMerge kills a merge once it has written some of its archive: the same command
// continues there, and the archive has the same bytes as without the kill.
func TestKilledMerge(t *testing.T) {
	d := newDesk(t)
	r := testregistry.New(t, testregistry.Options{})
	for i := range 6 {
		r.Image("team/app", fmt.Sprintf("v%d", i), testregistry.Random(fmt.Sprint(i), 8<<20))
	}
	d.mirror("backup", "-o", "bundle.tgz", r.Host+"/team/app").exits(0)
	size := fileSize(d.path("bundle.tgz"))
	for _, part := range []int64{1, 2, 4} {
		out := d.path("full.tgz")
		killedAtSize(t, d, out+".partial", size*part/6, "merge", "-o", "full.tgz", "bundle.tgz")
		if _, err := os.Stat(out); err == nil {
			t.Error("an unfinished archive has its name")
		}
		d.mirror("merge", "-o", "full.tgz", "bundle.tgz").exits(0).says("resuming full.tgz.partial: ")
		if d.read("full.tgz") != d.read("bundle.tgz") {
			t.Error("the archive has other bytes")
		}
		if err := os.Remove(out); err != nil {
			t.Fatal(err)
		}
	}
	if left := d.files(); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

// killedAtSize runs oras-mirror until a file has some size, and kills it there. A run that ends
// before that is repeated.
func killedAtSize(t *testing.T, d *desk, file string, size int64, args ...string) {
	t.Helper()
	for range 5 {
		cmd := d.command(program, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // that it was killed is looked at below
			close(ended)
		}()
		tick := time.NewTicker(time.Millisecond)
		for running := true; running && fileSize(file) < size; {
			select {
			case <-ended:
				running = false
			case <-tick.C:
			}
		}
		tick.Stop()
		_ = cmd.Process.Kill() // or it has ended
		<-ended
		if wasKilled(cmd) {
			return
		}
		if err := os.Remove(d.path(args[2])); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the run always ended before it was killed")
}

// fileSize returns the size of a file; 0 if it is absent.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
