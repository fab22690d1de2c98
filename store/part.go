package store

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// onePart is a part among the inputs.
type onePart struct {
	partFile
	path   string
	layout *archiveLayout
}

// pattern returns the name of the file without its folder, with * instead of its number.
func (p onePart) pattern() string {
	name := filepath.Base(p.path)
	at := partNumber.FindAllStringIndex(name, -1)
	if at == nil {
		return ""
	}
	last := at[len(at)-1]
	return name[:last[0]] + ".*" + name[last[0]+len(".000"):]
}

// partNumber finds the number in the name of a part.
var partNumber = regexp.MustCompile(`\.[0-9]{3}\b`)

// sibling returns the path of another part of the bundle; "" if it is unknown.
func (p onePart) sibling(number int) string {
	pattern := p.pattern()
	if pattern == "" {
		return ""
	}
	at := strings.LastIndex(pattern, "*")
	return filepath.Join(filepath.Dir(p.path), fmt.Sprintf("%s%03d%s", pattern[:at], number, pattern[at+1:]))
}

// partOf returns the part.json of a layout; nil if it is not a part.
func partOf(l Layout) *partFile {
	if a, ok := l.(*archiveLayout); ok {
		return a.part
	}
	return nil
}
