package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// shownPlan shows what a run would do.
type shownPlan struct {
	forecast *engine.Forecast
	restores bool // or syncs
	syncs    bool
	dropped  []inventory.Name // artifacts only in the bundle that would be replaced
	space    *space
	output   output // of a backup

	unmatched []string // repositories that no policy matches
}

// space is the disk space that a backup needs and that is free, in bytes. Needed is the
// size of an archive that does not compress: no run needs more.
type space struct {
	Needed int64 `json:"neededBytes"`
	Free   int64 `json:"freeBytes"`
}

// measure compares the size of a backup with the free space of the disk.
func (p *shownPlan) measure(path string) {
	if path == "" || path == "-" || store.IsInBucket(path) {
		return
	}
	free, ok := disk.Free(path)
	if !ok {
		return
	}
	p.space = &space{Needed: p.forecast.Needed, Free: free}
}

// findDropped finds the artifacts of a bundle that the backup would replace by one without
// them. Tags of cosign belong to their images.
func (p *shownPlan) findDropped(there store.Layout) {
	if there == nil {
		return
	}
	planned := make(map[string]bool)
	for _, o := range p.forecast.Artifacts {
		planned[o.Name] = true
	}
	for _, t := range inventory.Names(there) {
		if !planned[t.Reference] {
			p.dropped = append(p.dropped, t)
		}
	}
}

// changes reports whether the run would change anything.
func (p *shownPlan) changes() bool { return p.forecast.Changes() || len(p.dropped) > 0 }

// write prints the plan as text or JSON.
func (p *shownPlan) write(u *console.Console, format string) error {
	if format == "json" {
		return text.WriteJSON(u.Stdout, p.document())
	}
	print := p.print
	if len(p.forecast.Shards) > 0 {
		print = p.printShards
	}
	if err := print(u.Stdout); err != nil {
		return err
	}
	_, err := io.WriteString(u.Stdout, p.summary())
	return err
}

// print writes a line for each artifact.
func (p *shownPlan) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "STATUS\tREFERENCE\tDIGEST\tSIZE\tREFERRERS\tPLATFORMS"
	if p.hasFrom() {
		head += "\tFROM"
	}
	fmt.Fprintln(table, head)
	for _, o := range p.forecast.Artifacts {
		name := o.Name
		if p.restores && o.Target != "" {
			name += " -> " + o.Target
		}
		if o.Mirror != "" {
			name += " (mirror " + o.Mirror + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s", o.State, text.Printable(name), shortOf(o.Digest),
			text.Bytes(o.Size), len(o.Referrers), text.Printable(strings.Join(text.Strings(o.Platforms), ","))+p.sparseText(o))
		if o.From != "" {
			fmt.Fprintf(table, "\t%s", text.Printable(o.From))
		}
		fmt.Fprintln(table)
	}
	for _, d := range p.dropped {
		fmt.Fprintf(table, "removed\t%s\t%s\t\t\t\n", text.Printable(d.Reference), shortOf(d.Digest))
	}
	return table.Flush()
}

// hasFrom reports whether a reference was found in a file, and not in the spec.
func (p *shownPlan) hasFrom() bool {
	return slices.ContainsFunc(p.forecast.Artifacts, func(o engine.Outlook) bool { return o.From != "" })
}

// sparseText tells how a restore pushes an index that lacks some of its images.
func (p *shownPlan) sparseText(o engine.Outlook) string {
	switch {
	case !p.restores || len(o.Platforms) == 0:
		return ""
	case o.Rewritten:
		return " (sparse, rewritten)"
	}
	return " (sparse)"
}

// shortOf returns a digest as it is printed; "-" without one.
func shortOf(d digest.Digest) string {
	if d == "" {
		return "-"
	}
	return text.Printable(text.ShortDigest(d.String()))
}

// summary returns the totals of the run.
func (p *shownPlan) summary() string {
	var b strings.Builder
	f, verb := p.forecast, "fetch"
	if p.restores {
		verb = "push"
	}
	if p.syncs {
		verb = "copy"
	}
	fmt.Fprintf(&b, "\n%s%s: %s\n", text.Count(len(f.Artifacts), "artifact"), p.referrers(), p.states())
	fmt.Fprintf(&b, "%s distinct, %s more shared; %s there already", text.Bytes(f.Distinct), text.Bytes(f.Shared), text.Bytes(f.There))
	if f.Near > 0 {
		fmt.Fprintf(&b, ", %s in layouts on disk", text.Bytes(f.Near))
	}
	if f.LeftBlobs > 0 {
		fmt.Fprintf(&b, ", %s in %s left to the base", text.Bytes(f.Left), text.Count(f.LeftBlobs, "blob"))
	}
	b.WriteByte('\n')
	fmt.Fprintf(&b, "%s to %s in %s, %s\n", text.Bytes(f.Transfer), verb, text.Count(f.Transfers, "blob"), text.Count(f.Requests, "request"))
	if f.Files > 0 {
		fmt.Fprintf(&b, "%s\n", p.parts())
	}
	if p.space != nil {
		short := ""
		if p.space.Needed > p.space.Free {
			short = ": not enough"
		}
		fmt.Fprintf(&b, "needs up to %s of disk space, %s free%s\n", text.Bytes(p.space.Needed), text.Bytes(p.space.Free), short)
	}
	for _, n := range f.Newest {
		fmt.Fprintln(&b, text.Printable(console.NewestText(n)))
	}
	return b.String()
}

// parts names the files of a bundle in parts.
func (p *shownPlan) parts() string {
	n := p.forecast.Files
	names := parts.Path(p.output.path, 1)
	switch last := parts.Path(p.output.path, n); n {
	case 1:
	case 2:
		names += " and " + last
	default:
		names += " to " + last
	}
	return fmt.Sprintf("%s of at most %s: %s", text.Count(n, "part"), text.Bytes(p.output.partSize), text.Printable(names))
}

// referrers counts the referrers that the run copies.
func (p *shownPlan) referrers() string {
	n := 0
	for _, o := range p.forecast.Artifacts {
		n += len(o.Referrers)
	}
	if n == 0 {
		return ""
	}
	return " and " + text.Count(n, "referrer")
}

// counts returns the number of artifacts with each status.
func (p *shownPlan) counts() map[engine.State]int {
	counts := make(map[engine.State]int)
	for _, o := range p.forecast.Artifacts {
		counts[o.State]++
	}
	return counts
}

// states returns the number of artifacts with each status in words.
func (p *shownPlan) states() string {
	counts := p.counts()
	var found []string
	for _, s := range []engine.State{engine.StateNew, engine.StateChanged, engine.StateUnchanged, engine.StateFailed} {
		if counts[s] > 0 {
			found = append(found, text.Thousands(counts[s])+" "+string(s))
		}
	}
	if n := len(p.dropped); n > 0 {
		found = append(found, text.Thousands(n)+" removed")
	}
	if len(found) == 0 {
		return "nothing to do"
	}
	return strings.Join(found, ", ")
}
