// Package engine is the contract of a run that carries artifacts from registries into a
// layout, or back: its options, its report, its forecast, its progress and its errors.
// The runs are in the packages below it; they know no flags, no YAML and no terminal.
//
// A program backs up and restores in three steps. Package config makes selections of
// references or of a spec, package store opens the layout, and then:
//
//	client := registry.New(registry.Options{})
//	report, err := backup.Run(ctx, client, selections, output, engine.BackupOptions{})
//	report, err = restore.Run(ctx, client, input, engine.RestoreOptions{Targets: targets})
//
// The error is for the run as a whole. An artifact that failed has its error in the
// [Report]: a run goes on with the others.
//
//   - engine/plan expands selections into artifacts, and resolves their tags.
//   - engine/backup copies artifacts into a directory or an archive, predicts the cost of
//     that (Forecast), and prunes a directory to the selected artifacts.
//   - engine/restore pushes the artifacts of a layout to registries: blobs first, then manifests,
//     and a tag only when its graph is whole.
package engine
