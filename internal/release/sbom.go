package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
)

// document has the fields of SPDX 2.3 that the SBOM uses (spdx.github.io/spdx-spec/v2.3).
type document struct {
	Version       string         `json:"spdxVersion"`
	License       string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []spdxPackage  `json:"packages"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID        string      `json:"SPDXID"`
	Name      string      `json:"name"`
	Version   string      `json:"versionInfo,omitempty"`
	Location  string      `json:"downloadLocation"`
	Analyzed  bool        `json:"filesAnalyzed"`
	Concluded string      `json:"licenseConcluded"`
	Declared  string      `json:"licenseDeclared"`
	Copyright string      `json:"copyrightText"`
	Checksums []checksum  `json:"checksums,omitempty"`
	External  []reference `json:"externalRefs,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

const (
	noAssertion = "NOASSERTION"
	documentID  = "SPDXRef-DOCUMENT"
	programID   = "SPDXRef-Package-oras-mirror"
)

// sbom returns the SBOM of a binary: the program, and the modules and the standard
// library that the go command recorded in it.
func sbom(name, version string, binary []byte, at time.Time) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return nil, err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(binary))
	d := document{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: documentID, Name: name,
		Namespace: "https://github.com/oras-mirror/oras-mirror/spdx/" + name + "-" + sum,
		Creation:  creation{Created: at.Format(time.RFC3339), Creators: []string{"Tool: oras-mirror-release"}},
	}
	self := module(programID, info.Main.Path, version)
	self.Declared = "Apache-2.0"
	self.Checksums = []checksum{{"SHA256", sum}}
	d.Packages = append(d.Packages, self)
	d.relate(documentID, "DESCRIBES", programID)
	for i, dep := range append(info.Deps, standardLibrary(info.GoVersion)) {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		id := fmt.Sprintf("SPDXRef-Package-%d", i+1)
		d.Packages = append(d.Packages, module(id, dep.Path, dep.Version))
		d.relate(programID, "DEPENDS_ON", id)
	}
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

// standardLibrary returns the standard library as a module: it is part of every binary,
// and most advisories are about it.
func standardLibrary(version string) *debug.Module {
	version, _, _ = strings.Cut(version, " ") // drop the enabled experiments
	return &debug.Module{Path: "stdlib", Version: strings.TrimPrefix(version, "go")}
}

func module(id, path, version string) spdxPackage {
	return spdxPackage{
		ID: id, Name: path, Version: version,
		Location: noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion,
		External: []reference{{"PACKAGE-MANAGER", "purl", purl(path, version)}},
	}
}

// purl returns the package URL of a module, the name that advisories use. Those of Go
// modules are lower case.
func purl(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + url.QueryEscape(version)
}

func (d *document) relate(element, how, related string) {
	d.Relationships = append(d.Relationships, relationship{element, how, related})
}
