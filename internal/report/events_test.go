package report

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/oras-mirror/oras-mirror/schemas"
)

// TestEventSchemaIsTheStructs checks that schema and structs have the same fields.
func TestEventSchemaIsTheStructs(t *testing.T) {
	var schema struct {
		Defs map[string]schemaObject `json:"$defs"`
	}
	text, _ := schemas.Of("event")
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for name, event := range map[string]reflect.Type{
		"start": reflect.TypeFor[startEvent](), "progress": reflect.TypeFor[progressEvent](), "artifact": reflect.TypeFor[artifactEvent](),
		"listening": reflect.TypeFor[listeningEvent](), "request": reflect.TypeFor[requestEvent](),
		"notice": reflect.TypeFor[noticeEvent](), "error": reflect.TypeFor[errorEvent](), "end": reflect.TypeFor[endEvent](),
	} {
		sameFields(t, name, flat(event), schema.Defs[name])
	}
	sameFields(t, "totals", reflect.TypeFor[Totals](), schema.Defs["end"].Properties["totals"])
	sameFields(t, "totals of serve", reflect.TypeFor[listingTotals](), schema.Defs["listening"].Properties["totals"])
}

// flat returns a struct type with the fields of embedded structs promoted, as in JSON.
func flat(event reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(event) {
		if f.Anonymous {
			continue
		}
		f.Index, f.Offset = nil, 0
		fields = append(fields, f)
	}
	return reflect.StructOf(fields)
}
