package config

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Validation is a spec and what was found in the files that it names.
type Validation struct {
	Spec      *Spec
	Unset     []Fault      // of values with a variable that is not set, which cannot be checked
	Manifests []*Manifests // by source

	Selections []Selection // of all sources, as far as they are valid
}

// Checks check what a spec names and this package cannot read.
type Checks struct {
	// Layout returns an error if a layout is invalid; repository is that of its bare tags.
	Layout func(s *Spec, path string, repository Reference) error
	// Policy returns an error if a policy, whose paths are expanded, or a file of it is
	// invalid, and the key to blame, such as "cosign.keys[0]".
	Policy func(p Policy) (key string, err error)
}

// Validate loads a spec and checks the files that it names: lists, layouts, manifests,
// certificates, those of policies, and the paths and targets that its variables expand to. The
// error is a [*LoadError] with every fault; the validation is then as far as the spec could be
// read.
func Validate(path string, checks Checks) (*Validation, error) {
	data, err := specFormat.Read(path)
	if err != nil {
		return new(Validation), err
	}
	v := &Validation{Spec: &Spec{file: path}}
	positions, err := specFormat.Decode(path, data, v.Spec)
	if positions == nil {
		return v, err
	}
	v.Spec.positions = positions
	faults := faultsOf(err)
	for _, f := range v.externalFaults(checks) {
		_, isUnset := errors.AsType[*VariableError](f.Err)
		switch {
		case isUnset:
			v.Unset = append(v.Unset, f)
		case f.File != path || !reported(faults, f.Path):
			faults = append(faults, f)
		}
	}
	return v, loadError(faults)
}

// faultsOf returns the faults of a *LoadError.
func faultsOf(err error) []Fault {
	if e, ok := errors.AsType[*LoadError](err); ok {
		return e.Faults
	}
	return nil
}

// reported reports whether there is a fault in the value at a path, in a value around it, or
// in a part of it.
func reported(faults []Fault, path string) bool {
	for _, f := range faults {
		if f.Path == path || strings.HasPrefix(path, f.Path+".") || strings.HasPrefix(f.Path, path+".") {
			return true
		}
	}
	return false
}

// externalFaults returns the faults that are not in the file itself, in the order of its keys.
func (v *Validation) externalFaults(checks Checks) []Fault {
	s := v.Spec
	faults := append(s.certificates(), s.policyFaults(checks.Policy)...)
	for i, source := range s.Sources {
		at := strictyaml.Element("sources", i)
		var selected Selected
		more := s.addSource(at, source, &selected)
		faults = append(faults, more...)
		if len(more) == 0 {
			v.Manifests = append(v.Manifests, selected.Manifests...)
		}
		v.Selections = append(v.Selections, selected.Selections...)
		for _, selection := range selected.Selections {
			if selection.Layout == "" {
				continue
			}
			if err := checks.Layout(s, selection.Layout, selection.Reference); err != nil {
				faults = append(faults, s.fault(at+".layout", err))
			}
		}
	}
	_, err := s.OutputPath(time.Now(), "0") // any shard
	faults = append(faults, faultsOf(err)...)
	_, err = s.ResolveTargets()
	return append(faults, faultsOf(err)...)
}

// certificates returns the faults of certificates that cannot be read.
func (s *Spec) certificates() (faults []Fault) {
	for i, r := range s.Registries {
		for _, file := range []struct{ key, path string }{{"caFile", r.CAFile}, {"certFile", r.CertFile}, {"keyFile", r.KeyFile}} {
			if file.path == "" {
				continue
			}
			path, err := s.path(file.path, time.Now())
			if err == nil {
				err = checkPEM(path)
			}
			if err != nil {
				faults = append(faults, s.fault(strictyaml.Element("registries", i)+"."+file.key, err))
			}
		}
	}
	for i, b := range s.Buckets {
		if b.CAFile == "" {
			continue
		}
		path, err := s.path(b.CAFile, time.Now())
		if err == nil {
			err = checkPEM(path)
		}
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("buckets", i)+".caFile", err))
		}
	}
	return faults
}

func checkPEM(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(data); block == nil {
		return fmt.Errorf("%s is not a PEM file", path)
	}
	return nil
}
