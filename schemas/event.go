package schemas

import _ "embed"

// Event is the JSON schema (draft 2020-12) of a line that --format json prints.
//
//go:embed event.schema.json
var Event []byte
