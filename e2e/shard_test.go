package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

const (
	shards            = 4
	shardRepositories = 40
)

// TestFourShards backs up 40 repositories of similar size, in one process and in four shards of
// a lock with sizes. Each shard sends about a quarter of the requests; so four at once take about
// a quarter of the time. That depends on the machine, and is shown with -v.
func TestFourShards(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	for repo := range shardRepositories {
		for tag := range 18 + repo%5 {
			name := fmt.Sprintf("%d of %d", tag, repo)
			r.Image(fmt.Sprintf("team/r%d", repo), fmt.Sprintf("v%d", tag), testregistry.Random(name, 2000), testregistry.Random("second "+name, 1000))
		}
	}
	d := newDesk(t)
	d.write("mirror.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - registry: "+r.Host+"\n")
	d.mirror("lock", "-f", "mirror.yaml", "--shards").exits(0)
	one := clean(t, d, r, "backup", "-f", "mirror.yaml", "-o", "all/")
	sum, busiest := 0, 0
	for i := range shards {
		n := clean(t, d, r, "backup", "-f", "mirror.yaml", "--shard", fmt.Sprintf("%d/%d", i, shards), "-o", "shard-${SHARD}/")
		sum, busiest = sum+n, max(busiest, n)
	}
	t.Logf("one process sends %d requests, the shards %d, the busiest %d", one, sum, busiest)
	if busiest*100 > one*35 {
		t.Errorf("the busiest shard sends %d of %d requests", busiest, one)
	}
	if more := sum - one; more > shards*5 {
		t.Errorf("the shards send %d requests more than one process", more)
	}
	inAll, inShards := entriesOf(t, d, "all"), 0
	for i := range shards {
		inShards += entriesOf(t, d, fmt.Sprintf("shard-%d", i))
	}
	if inAll != inShards || inAll != (18+19+20+21+22)*shardRepositories/5 {
		t.Errorf("%d artifacts in one layout, %d in those of the shards", inAll, inShards)
	}
	if testing.Verbose() {
		r.SetDelay(20 * time.Millisecond)
		single := took(t, []string{"backup", "-f", d.path("mirror.yaml"), "-o", "all/"})
		var commands [][]string
		for i := range shards {
			commands = append(commands, []string{"backup", "-f", d.path("mirror.yaml"), "--shard", fmt.Sprintf("%d/%d", i, shards), "-o", "shard/"})
		}
		four := took(t, commands...)
		t.Logf("at 20 ms a request: %.2f s in one process, %.2f s in four, ratio %.2f", single.Seconds(), four.Seconds(), four.Seconds()/single.Seconds())
	}
}

// entriesOf counts the artifacts of a layout.
func entriesOf(t *testing.T, d *desk, layout string) int {
	t.Helper()
	l, err := store.OpenLayout(d.path(layout), store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return len(l.Index().Entries)
}

// took runs commands at once, each in a folder of its own, and returns how long all took.
func took(t *testing.T, commands ...[]string) time.Duration {
	t.Helper()
	var wait sync.WaitGroup
	begun := time.Now()
	for _, args := range commands {
		d := newDesk(t)
		wait.Go(func() {
			if got := d.mirror(args...); got.code != 0 {
				t.Errorf("%s: exit code %d\n%s", got.line, got.code, got.stderr)
			}
		})
	}
	wait.Wait()
	return time.Since(begun)
}
