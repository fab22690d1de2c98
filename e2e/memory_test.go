package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const (
	// defaultBuffer is the default of --buffer.
	defaultBuffer = 128 << 20
	// beside is the memory that a run may take beside its buffer.
	beside = 64 << 20
)

// watched is the most that a process took while it ran.
type watched struct {
	memory int64 // bytes resident
	disk   int64 // bytes of all files in the working folder
}

// watch runs oras-mirror to its end with a folder for temporary files that
// no user can write to.
func (d *desk) watch(args ...string) watched {
	d.t.Helper()
	cmd := d.command(program, args...)
	cmd.Env = append(cmd.Env, "TMPDIR=/proc/none")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var most watched
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			most.memory = max(most.memory, resident(cmd.Process.Pid))
			most.disk = max(most.disk, d.size())
		case err := <-ended:
			if err != nil {
				d.t.Fatalf("%v: %v\n%s", args, err, stderr.String())
			}
			return most
		}
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// resident is the high-water mark of a process's memory, 0 if it has ended.
func resident(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(string(found[1]), 10, 64) // the expression takes digits alone
	return kilobytes << 10
}

func (d *desk) size() int64 {
	var total int64
	_ = filepath.WalkDir(d.Dir, func(_ string, e fs.DirEntry, err error) error { // files come and go
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// TestTwoGigabytes backs up 2 GiB to a bundle and restores it: with no temporary
// file, with one copy on the disk, and in the memory that --buffer names.
func TestTwoGigabytes(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("memory is read from /proc, which this system does not have")
	}
	source := startRegistry(t, registryOptions{Storage: t.TempDir()})
	target := startRegistry(t, registryOptions{Storage: t.TempDir()})
	seeder := testregistry.NewSeeder(t, source.Access)
	for i, size := range []int{1 << 30, 256 << 20, 256 << 20, 256 << 20, 128 << 20, 128 << 20} {
		seeder.Image("large", fmt.Sprint("v", i), testregistry.Random(fmt.Sprint(i), size))
	}
	d := newDesk(t)
	most := d.watch("backup", "-o", "bundle.tgz", source.Host+"/large")
	info, err := os.Stat(d.path("bundle.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < 2<<30 || most.disk > info.Size() {
		t.Errorf("the bundle has %d bytes, and the disk held %d", info.Size(), most.disk)
	}
	if most.memory > defaultBuffer+beside || most.memory == 0 {
		t.Errorf("backup took %d MiB of memory", most.memory>>20)
	}
	t.Logf("backup: %d MiB of memory, %d bytes on disk", most.memory>>20, most.disk)
	most = d.watch("restore", "--input", "bundle.tgz", target.Host+"/mirror")
	if most.memory > defaultBuffer+beside || most.memory == 0 {
		t.Errorf("restore took %d MiB of memory", most.memory>>20)
	}
	t.Logf("restore: %d MiB of memory", most.memory>>20)
	if tags := d.oras("repo", "tags", "--plain-http", target.Host+"/mirror/large"); len(strings.Fields(tags)) != 6 {
		t.Errorf("the target has the tags %q", tags)
	}
}

// TestSyncOfTwoGigabytes copies 2 GiB in blobs of 512 MiB from a registry to another, in
// the memory that --buffer names, and writes nothing to a disk.
func TestSyncOfTwoGigabytes(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("memory is read from /proc, which this system does not have")
	}
	source := startRegistry(t, registryOptions{Storage: t.TempDir()})
	target := startRegistry(t, registryOptions{Storage: t.TempDir()})
	seeder := testregistry.NewSeeder(t, source.Access)
	for i := range 4 {
		seeder.Image("large", fmt.Sprint("v", i), testregistry.Random(fmt.Sprint(i), 512<<20))
	}
	d := newDesk(t)
	most := d.watch("sync", "--target", target.Host+"/mirror", source.Host+"/large")
	if most.memory > defaultBuffer+beside || most.memory == 0 {
		t.Errorf("sync took %d MiB of memory", most.memory>>20)
	}
	if most.disk > 0 {
		t.Errorf("sync wrote %d bytes to the disk", most.disk)
	}
	t.Logf("sync: %d MiB of memory", most.memory>>20)
	same(t, snapshot(t, source.Access).Prefix("mirror"), target.Access)
}
