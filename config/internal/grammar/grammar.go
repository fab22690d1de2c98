// Package grammar says which texts a spec, a lock or a list may have: names by the grammar of the
// OCI distribution spec, and regular expressions. A function that ends in Fault returns why a text
// is not valid, or "".
package grammar

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// These patterns are the grammar of the OCI distribution spec, v1.1, "Pulling manifests".
var (
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	hostPattern       = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?)*$`)
)

// MaxRepositoryLength is the limit of the registry distribution, the strictest known.
const MaxRepositoryLength = 255

// RepositoryFault returns why path is not a valid name of a repository, or "".
func RepositoryFault(path string) string {
	switch {
	case path == "":
		return "no repository"
	case len(path) > MaxRepositoryLength:
		return fmt.Sprintf("the repository has %d characters; at most %d are allowed", len(path), MaxRepositoryLength)
	case repositoryPattern.MatchString(path):
		return ""
	case path != strings.ToLower(path):
		return fmt.Sprintf("repository %q has upper case letters", path)
	}
	return fmt.Sprintf("invalid repository %q: use lower case letters and digits, separated by / . _ __ or -", path)
}

// TagFault returns why tag is not a valid tag, or "".
func TagFault(tag string) string {
	switch {
	case tagPattern.MatchString(tag):
		return ""
	case tag == "":
		return "empty tag"
	case len(tag) > 128:
		return fmt.Sprintf("the tag has %d characters; at most 128 are allowed", len(tag))
	}
	return fmt.Sprintf("invalid tag %q: use letters, digits, _ . and -, and start with a letter, a digit or _", tag)
}

// RegistryFault returns why s is not a valid HOST[:PORT], or "". The host is a name, an IPv4
// address, or an IPv6 address in brackets.
func RegistryFault(s string) string {
	if strings.Contains(s, "/") {
		return fmt.Sprintf("invalid registry %q: must be HOST[:PORT]", s)
	}
	host, port, hasPort := CutPort(s)
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' { // 0443 would be 443 by another name
			return fmt.Sprintf("invalid port in registry %q", s)
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return fmt.Sprintf("invalid IPv6 address in registry %q", s)
		}
		if plain := ip.Unmap(); !strings.EqualFold(inner, ip.String()+"]") || plain != ip { // like 0443
			return fmt.Sprintf("another spelling of %s in registry %q", plain, s)
		}
		return ""
	}
	if !hostPattern.MatchString(host) {
		return fmt.Sprintf("invalid host name in registry %q", s)
	}
	return ""
}

// CutPort splits s at the last colon, unless that is part of an IPv6 address.
func CutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// DigestFault returns why s is not a valid digest of an artifact, or "".
func DigestFault(s string) string {
	algorithm, encoded, ok := strings.Cut(s, ":")
	if !ok {
		return fmt.Sprintf("invalid digest %q: must be ALGORITHM:HEX", s)
	}
	a := digest.Algorithm(algorithm)
	if a != digest.SHA256 && a != digest.SHA512 {
		return fmt.Sprintf("unsupported digest algorithm %q: use sha256 or sha512", algorithm)
	}
	if a.Validate(encoded) != nil {
		return fmt.Sprintf("a %s digest must have %d lower case hexadecimal characters", a, hexLength[a])
	}
	return ""
}

var hexLength = map[digest.Algorithm]int{digest.SHA256: 64, digest.SHA512: 128}
