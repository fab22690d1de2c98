package schemas

import _ "embed"

// Report is the JSON schema (draft 2020-12) of a report of --report.
//
//go:embed report.schema.json
var Report []byte
