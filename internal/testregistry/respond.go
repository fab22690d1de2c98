package testregistry

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refuse responds with an error in the format of the distribution spec.
func refuse(w http.ResponseWriter, status int, code, message string) {
	type fault struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	serveJSON(w, status, "application/json", map[string][]fault{"errors": {{code, message}}})
}

func unsupported(w http.ResponseWriter) {
	refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the operation is unsupported")
}

// serveJSON responds with a document and its length.
func serveJSON(w http.ResponseWriter, status int, mediaType string, document any) {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err) // no document here can fail
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	w.Write(data)
}
