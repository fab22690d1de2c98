package cli

import (
	"context"
	"os"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// warnSingleWriter says what is not guaranteed for a layout in a bucket that is written without
// conditions, as --single-writer wants it.
func warnSingleWriter(u *console.Console, path string) {
	if store.IsLayoutInBucket(path) {
		u.Notice("--single-writer: another process that writes to %s at the same time can replace index.json or remove blobs unnoticed", path)
	}
}

// opener opens a layout or a bundle; those that a pattern matches as one.
type opener = engine.OpenLayout

// openerOf returns an opener that reaches buckets by a spec, which may be nil.
func openerOf(ctx context.Context, u *console.Console, spec *config.Spec) opener {
	return func(path string) (store.Layout, error) { return openLayouts(ctx, u, []string{path}, spec) }
}

// sourceOpener is openerOf for layouts whose blobs are copied: it notes the parts of a bundle
// that are missing, whose blobs fail.
func sourceOpener(ctx context.Context, u *console.Console, spec *config.Spec) opener {
	open := openerOf(ctx, u, spec)
	return func(path string) (store.Layout, error) {
		l, err := open(path)
		if err != nil {
			return nil, err
		}
		for _, fault := range store.Faults(l) {
			u.Notice("%v", fault)
		}
		return l, nil
	}
}

// openLayouts opens the layouts or bundles that are read for the names in them, as one.
func openLayouts(ctx context.Context, u *console.Console, paths []string, spec *config.Spec) (store.Layout, error) {
	buckets, err := openBuckets(ctx, u, spec)
	if err != nil {
		return nil, err
	}
	return option.OpenLayouts(paths, func(path string) (store.Layout, error) {
		return store.OpenLayout(path, store.OpenOptions{Buckets: buckets})
	})
}

// openBuckets returns how the buckets of a command are reached: by the spec, which may be
// nil, and by the environment.
func openBuckets(ctx context.Context, u *console.Console, spec *config.Spec) (store.Buckets, error) {
	settings, err := spec.ResolveBuckets()
	if err != nil {
		return store.Buckets{}, err
	}
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		u.Secrets.Add(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv(name))
	}
	b := store.Buckets{Context: ctx, Secret: u.Secrets.Add, Retry: bucket.Retry{OnRetry: u.Retries.Begin}, Settings: make(map[string]bucket.Settings)}
	for _, s := range settings {
		b.Settings[s.Bucket] = bucket.Settings{Endpoint: s.Endpoint, Region: s.Region, PathStyle: s.PathStyle,
			CAFile: s.CAFile, Insecure: s.Insecure, Encryption: s.ServerSideEncryption}
	}
	return b, nil
}
