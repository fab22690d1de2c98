package schemas

import _ "embed"

// Report is the JSON schema (draft 2020-12) of what --report writes.
//
//go:embed report.schema.json
var Report []byte
