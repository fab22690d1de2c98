package option

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// ShardFlag selects a part of the plan.
type ShardFlag struct {
	Shard string `group:"Run" placeholder:"I/N" help:"Do only the I-th of N shards of the plan, counted from 0; auto/N takes I from JOB_COMPLETION_INDEX."`
}

// Part returns the part that the flag names; nil without the flag.
func (f *ShardFlag) Part() (*shard.Part, error) {
	part, err := ParsePart(f.Shard)
	if err == nil && part != nil && part.Index == shard.All {
		return nil, exit.Usage(`"plan --shard `+f.Shard+`" compares the shards`, "invalid --shard %q: a run does one shard", f.Shard)
	}
	return part, err
}

// indexVariable is the variable in which Kubernetes passes the index of a pod of an Indexed Job.
const indexVariable = "JOB_COMPLETION_INDEX"

// ParsePart parses I/N, auto/N or all/N; an empty text is no part. Its error is an
// *exit.UsageError.
func ParsePart(text string) (*shard.Part, error) {
	if text == "" {
		return nil, nil
	}
	first, second, _ := strings.Cut(text, "/")
	count, err := strconv.Atoi(second)
	if err != nil || count < 1 || count > shard.MaxCount {
		return nil, exit.Usage("write --shard I/N, such as 0/4 for the first of four shards; auto/4 in a Kubernetes Indexed Job",
			"invalid --shard %q: N must be a number from 1 to %d", text, shard.MaxCount)
	}
	switch first {
	case "all":
		return &shard.Part{Index: shard.All, Count: count}, nil
	case "auto":
		return partOfJob(text, count)
	}
	index, err := strconv.Atoi(first)
	if err != nil || index < 0 || index >= count {
		return nil, exit.Usage(fmt.Sprintf("shards are counted from 0: write 0/%d for the first and %d/%d for the last", count, count-1, count),
			"invalid --shard %q: I must be a number from 0 to %d", text, count-1)
	}
	return &shard.Part{Index: index, Count: count}, nil
}

// partOfJob returns the part of the pod that this process runs in.
func partOfJob(text string, count int) (*shard.Part, error) {
	value := os.Getenv(indexVariable)
	if value == "" {
		return nil, exit.Usage(fmt.Sprintf("set completionMode: Indexed in the Kubernetes Job, or write --shard I/%d", count),
			"--shard %s: environment variable %s is not set", text, indexVariable)
	}
	index, err := strconv.Atoi(value)
	if err != nil || index < 0 || index >= count {
		return nil, exit.Usage(fmt.Sprintf("completions of the Kubernetes Job must be the %d of --shard %s", count, text),
			"--shard %s: %s must be a number from 0 to %d, got %q", text, indexVariable, count-1, value)
	}
	return &shard.Part{Index: index, Count: count}, nil
}
