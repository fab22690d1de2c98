package parts

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Path returns the path of the part with a number of the bundle at path: that of bundle.tgz is
// bundle.001.tgz.
func Path(path string, number int) string {
	stem, extension := splitExtension(path)
	return fmt.Sprintf("%s.%03d%s", stem, number, extension)
}

// Pattern returns the pattern that matches the paths of all parts of the bundle at path:
// bundle.*.tgz.
func Pattern(path string) string {
	stem, extension := splitExtension(path)
	return stem + ".*" + extension
}

// splitExtension splits the extension of an archive off a path. That of bundle-1.2 is none.
func splitExtension(path string) (stem, extension string) {
	extension = filepath.Ext(path)
	if lower := strings.ToLower(path); strings.HasSuffix(lower, ".tar.gz") {
		extension = path[len(path)-len(".tar.gz"):]
	}
	if strings.Trim(extension, ".0123456789") == "" || extension == filepath.Base(path) {
		extension = ""
	}
	return strings.TrimSuffix(path, extension), extension
}

// partNumber finds the number in the name of a part.
var partNumber = regexp.MustCompile(`\.[0-9]{3}\b`)

// PatternOf returns the name of a part without its folder, with * instead of its number; "" if
// the name has no number.
func PatternOf(path string) string {
	name := filepath.Base(path)
	at := partNumber.FindAllStringIndex(name, -1)
	if at == nil {
		return ""
	}
	last := at[len(at)-1]
	return name[:last[0]] + ".*" + name[last[0]+len(".000"):]
}

// Sibling returns the path of another part of the bundle that has the part at path; "" if it is
// unknown.
func Sibling(path string, number int) string {
	pattern := PatternOf(path)
	if pattern == "" {
		return ""
	}
	at := strings.LastIndex(pattern, "*")
	return filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%03d%s", pattern[:at], number, pattern[at+1:]))
}
