package discover

import (
	"regexp"
	"strings"
)

// version matches the tag and the digest of the images that kustomize replaces. Tools of Bazel
// write tags with braces.
var version = regexp.MustCompile(`^(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`)

// matches reports whether the override is for an image: names are compared as they are
// written.
func (o override) matches(image string) bool {
	rest, ok := strings.CutPrefix(image, o.name)
	return ok && o.name != "" && version.MatchString(rest)
}

// replace returns the image that the override makes of one, by the rules of kustomize: a new
// tag or a new digest replaces both.
func (o override) replace(image string) string {
	name, tag, digest := split(image)
	if o.newName != "" {
		name = o.newName
	}
	switch {
	case o.newTag != "" || o.digest != "":
		tag, digest = o.newTag, o.digest
	case o.suffix != "":
		tag, digest = tag+o.suffix, ""
	}
	return join(name, tag, digest)
}

// result returns the image that the override makes of one that is not known; "" if that
// depends on the tag.
func (o override) result() string {
	if o.newTag == "" && o.digest == "" {
		return ""
	}
	return o.replace(o.name)
}

// split divides an image into its name, its tag and its digest.
func split(image string) (name, tag, digest string) {
	name, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	return name, tag, digest
}

func join(name, tag, digest string) string {
	if tag != "" {
		name += ":" + tag
	}
	if digest != "" {
		name += "@" + digest
	}
	return name
}
