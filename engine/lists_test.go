package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestInterruptedWhileAListSettles: nothing else is under way then, and the run has
// not ended well all the same.
func TestInterruptedWhileAListSettles(t *testing.T) {
	path, _, _ := backedUpSigned(t, 2)
	r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	ctx, cancel := context.WithCancel(t.Context())
	clock := newFalseClock()
	clock.woken = func(int) { cancel() }
	report, err := restore.Run(ctx, clock.faced(t, 4), reopen(t, path), engine.RestoreOptions{Targets: []config.Target{{Registry: r.Host}}})
	if !errors.Is(err, context.Canceled) || len(report.Artifacts) != 1 || !errors.Is(report.Artifacts[0].Err, engine.ErrUnfinished) {
		t.Errorf("it ends with %v, %+v", err, report.Artifacts)
	}
}
