// Package engine carries artifacts from registries into a layout and back. It
// takes a plan in, moves bytes, and says what became of each artifact. It knows
// no flags, no YAML and no terminal.
//
// A backup flows one way: selections are expanded into references, each
// reference is resolved into a graph of manifests, the graphs name the blobs,
// and each distinct blob is fetched once. A restore flows the other way: the
// entries of a layout are mapped to references of a target, what the target
// lacks is pushed blobs first, and a tag goes out only when its graph is whole.
package engine

const (
	// defaultConcurrency is the number of requests in flight over all registries.
	// At 20 ms a request sixteen of them bring 800 small artifacts a second, and
	// no public registry has been seen to object.
	defaultConcurrency = 16

	// defaultBuffer is the memory for blobs that are ahead of a writer.
	defaultBuffer = 128 << 20
)
