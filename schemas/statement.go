package schemas

import _ "embed"

// Statement is the JSON schema (draft 2020-12) of a statement of "oras-mirror statement".
//
//go:embed statement.schema.json
var Statement []byte
