package cli

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// newShard returns a part of the plan of a spec, which may be ""; nil without a part. The parts
// are balanced if the lock of the spec has sizes.
func newShard(part *shard.Part, spec string, names shard.Names) (*shard.Shard, error) {
	if part == nil {
		return nil, nil
	}
	sizes, err := lockedSizes(spec)
	if err != nil {
		return nil, err
	}
	return shard.New(*part, names, sizes), nil
}

// lockedSizes returns the sizes in the lock of a spec; nil if there is no lock.
func lockedSizes(spec string) ([]lockfile.Repository, error) {
	if spec == "" {
		return nil, nil
	}
	lock, err := lockfile.Load(lockfile.Path(spec))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return lock.Repositories, nil
}

// lockRead lists the lock that balances the parts.
func lockRead(part *shard.Part, spec string) []overwrite.File {
	if part == nil || spec == "" {
		return nil
	}
	return []overwrite.File{{What: "the lock", Path: lockfile.Path(spec)}}
}

// shardVariable is replaced by the index of the part in the names of files that a run writes.
const shardVariable = "${SHARD}"

// expandShard replaces ${SHARD} in the name of a file.
func expandShard(name string, part *shard.Part) string {
	if index := indexOf(part); index != "" {
		return strings.ReplaceAll(name, shardVariable, index)
	}
	return name
}

// expandPath expands a path of a flag as the spec expands its output, but for its folder.
func expandPath(flag, path string, part *shard.Part) (string, error) {
	expanded, err := config.ExpandPath(expandShard(path, part), time.Now())
	unset, is := errors.AsType[*config.VariableError](err)
	switch {
	case is && unset.Name == "SHARD":
		return "", exit.Usage("--shard I/N sets it", "%s %s: %v", flag, path, err)
	case is:
		return "", exit.Usage("set it, or choose a name without ${"+unset.Name+"}", "%s %s: %v", flag, path, err)
	case err != nil:
		return "", exit.Usage("", "%s %s: %v", flag, path, err)
	}
	return expanded, nil
}

// indexOf returns the index of a part as text; "" if there is none.
func indexOf(part *shard.Part) string {
	if part == nil || part.Index == shard.All {
		return ""
	}
	return strconv.Itoa(part.Index)
}

// checkShard refuses one bundle for several parts: the last one would replace the others.
// named is the output as it was written.
func (o output) checkShard(named string, part *shard.Part) error {
	if part == nil || part.Count == 1 || !o.isFile() && !o.isBundleInBucket() || strings.Contains(named, shardVariable) {
		return nil
	}
	if info, err := os.Stat(o.path); err == nil && !info.Mode().IsRegular() {
		return nil // a device or a pipe of its own
	}
	return exit.Usage(`put `+shardVariable+` into its name, such as 'bundle-`+shardVariable+`.tgz', or write to a directory`,
		"all shards would write the same bundle: %s", o.path)
}

// sayEmpty says so if a part of the plan has nothing to do.
func sayEmpty(u *console.Console, s *shard.Shard, report *engine.Report, err error) {
	if s != nil && err == nil && report != nil && len(report.Artifacts) == 0 {
		u.Say("shard %s has no artifacts: nothing to do", s)
	}
}
