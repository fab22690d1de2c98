// Package schemas holds the JSON schemas of what oras-mirror reads and writes.
package schemas

import _ "embed"

// Mirror is the JSON schema (draft 2020-12) of a mirror spec.
//
//go:embed mirror.schema.json
var Mirror []byte
