package schemas

import _ "embed"

// Event is the JSON schema (draft 2020-12) of a line of --format json.
//
//go:embed event.schema.json
var Event []byte
