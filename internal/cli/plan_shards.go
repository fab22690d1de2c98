package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// planShard is one shard in the output of "plan --shard all/N --format json".
type planShard struct {
	Shard  string      `json:"shard"` // for --shard, such as 0/4
	Totals shardTotals `json:"totals"`
}

// shardTotals has the sums over the artifacts of a shard.
type shardTotals struct {
	Repositories int   `json:"repositories"`
	Artifacts    int   `json:"artifacts"`
	Bytes        int64 `json:"distinctBytes"` // each manifest and blob once
}

// shards returns the shards for a program.
func (p *shownPlan) shards() []planShard {
	var all []planShard
	for i, s := range p.forecast.Shards {
		all = append(all, planShard{fmt.Sprintf("%d/%d", i, len(p.forecast.Shards)), shardTotals{s.Repositories, s.Artifacts, s.Bytes}})
	}
	return all
}

// printShards writes a line for each shard.
func (p *shownPlan) printShards(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SHARD\tREPOSITORIES\tARTIFACTS\tSIZE")
	for _, s := range p.shards() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.Shard, text.Thousands(s.Totals.Repositories), text.Thousands(s.Totals.Artifacts), text.Bytes(s.Totals.Bytes))
	}
	return table.Flush()
}
