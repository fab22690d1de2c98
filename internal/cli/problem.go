package cli

import (
	"errors"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/statement"
)

// problem is an error in a document: where it is, as far as that is known, and what to do.
type problem struct {
	filePlace
	Reference string        `json:"reference,omitempty"` // the artifact or source that it affects
	Digest    digest.Digest `json:"digest,omitempty"`    // the manifest or blob at fault
	Error     string        `json:"error"`
	Hint      string        `json:"hint,omitempty"`
}

// filePlace is a place in a file. An error of a whole file has no line and no path.
type filePlace struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Path   string `json:"path,omitempty"` // such as sources[2].tags
}

func placeOf(f config.Fault) filePlace { return filePlace{f.File, f.Line, f.Column, f.Path} }

// problemsOf returns the errors of a command for its document.
func problemsOf(failures []console.Failure) []problem {
	all := []problem{}
	for _, f := range failures {
		p := problem{Error: f.Text, Hint: f.Hint}
		p.locate(f.Err)
		all = append(all, p)
	}
	return all
}

// locate sets the place of an error, as far as its type knows it.
func (p *problem) locate(err error) {
	if fault, is := errors.AsType[config.Fault](err); is {
		p.filePlace = placeOf(fault)
	}
	if remote, is := errors.AsType[*registry.Error](err); is {
		p.Reference = remote.Reference
	}
	if artifact, is := errors.AsType[*engine.ArtifactError](err); is {
		p.Reference = artifact.Reference
	}
	if fault, is := errors.AsType[*faultError](err); is {
		p.Reference, p.Digest = fault.Reference, fault.Digest
	}
	if signers, is := errors.AsType[*statement.SignersError](err); is {
		p.Reference = signers.Reference
	}
	if differs, is := errors.AsType[*statement.DifferenceError](err); is {
		if ref, ok := config.ParseEntryName(differs.Name); ok && ref.Registry != "" {
			p.Reference, p.Digest = differs.Name, differs.Found
		}
	}
}
