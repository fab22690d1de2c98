// Package schemas embeds the JSON schemas (draft 2020-12) of the files that oras-mirror reads
// and of what it writes, for programs that produce or consume them.
package schemas

import "embed"

//go:embed *.schema.json
var files embed.FS

// Of returns the schema with a name, such as "plan"; ok is false if there is none.
func Of(name string) (schema []byte, ok bool) {
	schema, err := files.ReadFile(name + ".schema.json")
	return schema, err == nil
}
