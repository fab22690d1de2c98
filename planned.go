package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
)

// plan is what a run would do, as it is shown.
type plan struct {
	forecast *engine.Forecast
	restores bool
	dropped  []tagged // of a bundle that would be replaced, what the new one has not
	space    *space
}

// space is what a backup needs on the disk that it goes to. The bytes needed are
// those of an archive that does not get smaller by compression.
type space struct {
	Needed int64 `json:"needed"`
	Free   int64 `json:"free"`
}

// measure compares what a backup writes with what the disk has left.
func (p *plan) measure(path string, directory bool) {
	if path == "" || path == "-" {
		return
	}
	free, ok := store.Free(path)
	if !ok {
		return
	}
	p.space = &space{Needed: p.forecast.Distinct, Free: free}
	if directory {
		p.space.Needed -= p.forecast.There
	}
}

// findDropped finds what a bundle has that is about to be replaced by one
// without it. What cosign keeps under tags belongs to its image.
func (p *plan) findDropped(there store.Layout) {
	if there == nil {
		return
	}
	planned := make(map[string]bool)
	for _, o := range p.forecast.Artifacts {
		planned[o.Name] = true
	}
	for _, t := range taggedIn(there.Index()) {
		if !planned[t.Reference] {
			p.dropped = append(p.dropped, t)
		}
	}
}

func (p *plan) changes() bool { return p.forecast.Changes() || len(p.dropped) > 0 }

func (p *plan) write(u *ui, format string) error {
	if format == "json" {
		return printJSON(u.stdout, p.document())
	}
	if err := p.print(u.stdout); err != nil {
		return err
	}
	_, err := io.WriteString(u.stdout, p.summary())
	return err
}

// print writes a line for each artifact.
func (p *plan) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tREFERENCE\tDIGEST\tSIZE\tREFERRERS\tPLATFORMS")
	for _, o := range p.forecast.Artifacts {
		name := o.Name
		if p.restores {
			name += " -> " + o.Target
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", o.State, printable(name), shortOf(o.Digest),
			bytesText(o.Size), len(o.Referrers), strings.Join(platformTexts(o.Platforms), ","))
	}
	for _, d := range p.dropped {
		fmt.Fprintf(table, "dropped\t%s\t%s\t\t\t\n", printable(d.Reference), shortOf(d.Digest))
	}
	return table.Flush()
}

func shortOf(d digest.Digest) string {
	if d == "" {
		return "-"
	}
	return short(d.String())
}

func platformTexts(platforms []config.Platform) []string {
	var names []string
	for _, p := range platforms {
		names = append(names, p.String())
	}
	return names
}

// summary writes the numbers that the run then has.
func (p *plan) summary() string {
	var b strings.Builder
	f, verb := p.forecast, "fetch"
	if p.restores {
		verb = "push"
	}
	fmt.Fprintf(&b, "\n%s: %s\n", count(len(f.Artifacts), "artifact"), p.states())
	fmt.Fprintf(&b, "%s distinct, %s more shared; %s there already\n", bytesText(f.Distinct), bytesText(f.Shared), bytesText(f.There))
	fmt.Fprintf(&b, "%s to %s, %s among it; %s\n", bytesText(f.Transfer), verb, count(f.Transfers, "blob"), count(f.Requests, "request"))
	if p.space != nil {
		short := ""
		if p.space.Needed > p.space.Free {
			short = ": too little"
		}
		fmt.Fprintf(&b, "%s of disk needed at most, %s free%s\n", bytesText(p.space.Needed), bytesText(p.space.Free), short)
	}
	for _, n := range f.Newest {
		fmt.Fprintf(&b, "%s: the newest %d by %s\n", printable(n.Repository), n.Count, orderTexts[n.Order])
	}
	return b.String()
}

var orderTexts = map[string]string{
	config.OrderSemver: "version",
	config.OrderList:   "the order in which the registry lists its tags, since not all are versions",
}

// states counts the artifacts by what would become of them.
func (p *plan) states() string {
	counts := make(map[engine.State]int)
	for _, o := range p.forecast.Artifacts {
		counts[o.State]++
	}
	var parts []string
	for _, s := range []engine.State{engine.StateNew, engine.StateChanged, engine.StateUnchanged, engine.StateFailed} {
		if counts[s] > 0 {
			parts = append(parts, thousands(counts[s])+" "+string(s))
		}
	}
	if n := len(p.dropped); n > 0 {
		parts = append(parts, thousands(n)+" dropped")
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}
