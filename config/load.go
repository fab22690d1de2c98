package config

// A spec has room for a hundred thousand sources.
var specFormat = Format{Noun: "spec", MaxBytes: 64 << 20, MaxValues: 1 << 20}

// Load reads the spec in a file. Its error is a [*LoadError] with every fault. If the file
// cannot be read, that is the only fault, and errors.Is finds its cause.
func Load(path string) (*Spec, error) {
	data, err := specFormat.Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse reads a spec from memory. The name stands for its file in messages, and relative paths
// in the spec are relative to the folder of the name. Its error is a [*LoadError].
func Parse(name string, data []byte) (*Spec, error) {
	spec := &Spec{file: name}
	positions, err := specFormat.Decode(name, data, spec)
	if err != nil {
		return nil, err
	}
	spec.positions = positions
	return spec, nil
}
