// Package engine carries artifacts from registries into a layout and back. It
// takes a plan in, moves bytes, and reports the outcome of each artifact. It knows
// no flags, no YAML and no terminal.
//
// A backup flows one way: selections are expanded into references, each
// reference is resolved into a graph of manifests, the graphs name the blobs,
// and each distinct blob is fetched once. A restore flows the other way: the
// entries of a layout are mapped to references of a target, what the target
// lacks is pushed blobs first, and a tag goes out only when its graph is whole.
package engine
