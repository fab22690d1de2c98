package backup

import (
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// tellUseless tells that no blob is left to the base, which may be the wrong one. Blobs that an output
// had before were not looked for in the base.
func (b *backup) tellUseless(left, whole, unchanged int) {
	if b.Base == nil || left > 0 || whole == 0 || unchanged > 0 {
		return
	}
	empty := new(oci.Index).RootsDigest(nil)
	if slices.Contains(b.Base.Roots(), empty) { // the base said so when it was read
		return
	}
	b.Progress.Notice("no base has a blob of these artifacts: nothing is left out")
}

// tellUselessPlan is tellUseless for a forecast.
func (b *backup) tellUselessPlan(f *engine.Forecast) {
	whole, unchanged := 0, 0
	for _, o := range f.Artifacts {
		switch {
		case o.Err != nil:
		case o.State == engine.StateUnchanged:
			unchanged++
			whole++
		default:
			whole++
		}
	}
	b.tellUseless(f.LeftBlobs, whole, unchanged)
}
