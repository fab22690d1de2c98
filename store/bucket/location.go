package bucket

import (
	"fmt"
	"strings"
)

// Scheme begins the name of a bucket's layout or bundle.
const Scheme = "s3://"

// Location is the place of a layout or a bundle in a bucket.
type Location struct {
	Bucket string
	Key    string // of a bundle, or the prefix of a layout, which is empty or ends in a slash
}

// LocationError reports a path that names no place in a bucket.
type LocationError struct{ Reason string }

func (e *LocationError) Error() string { return e.Reason }

// Is reports whether a path names a place in a bucket, or was meant to: a directory s3: in its
// place would go unnoticed. ParseLocation refuses the latter; ./s3: is a directory.
func Is(path string) bool { return len(path) >= 4 && strings.EqualFold(path[:4], "s3:/") }

// ParseLocation parses s3://BUCKET/PREFIX/ or s3://BUCKET/NAME. s3://BUCKET is the layout
// at the top of a bucket.
func ParseLocation(path string) (Location, error) {
	rest, ok := strings.CutPrefix(path, Scheme)
	if !ok {
		return Location{}, &LocationError{"expected s3://BUCKET/PREFIX/ or s3://BUCKET/NAME"}
	}
	name, key, _ := strings.Cut(rest, "/")
	switch {
	case name == "" || strings.ContainsAny(name, "@?#: "):
		return Location{}, &LocationError{fmt.Sprintf("invalid bucket name %q (expected s3://BUCKET/PREFIX/ or s3://BUCKET/NAME)", name)}
	case strings.HasPrefix(key, "/") || strings.Contains(key, "//"):
		return Location{}, &LocationError{path + " has an empty path element"}
	}
	for element := range strings.SplitSeq(key, "/") {
		if element == "." || element == ".." { // stores disagree on what it names
			return Location{}, &LocationError{fmt.Sprintf("the path element %q is not allowed in a bucket", element)}
		}
	}
	return Location{Bucket: name, Key: key}, nil
}

// IsLayout reports whether the place is a layout and not a bundle.
func (l Location) IsLayout() bool { return l.Key == "" || strings.HasSuffix(l.Key, "/") }

// String returns the name as a user writes it.
func (l Location) String() string { return Scheme + l.Bucket + "/" + l.Key }
