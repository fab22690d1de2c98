// Package schemas embeds the JSON schemas of the files that oras-mirror reads and writes, for
// programs that produce or consume them.
package schemas

import _ "embed"

// Mirror is the JSON schema (draft 2020-12) of a mirror spec.
//
//go:embed mirror.schema.json
var Mirror []byte
