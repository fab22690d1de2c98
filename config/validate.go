package config

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Validate loads a spec and looks at all that it names besides: lists, layouts,
// certificates, and what its variables make of paths and targets. layout says what
// is wrong with a layout, whose bare tags are named by repository. All faults are
// found at once; err is a [*LoadError]. Values whose variables are not set cannot
// be judged: they are no fault, and come apart.
func Validate(path string, layout func(path string, repository Reference) error) (spec *Spec, unset []Fault, err error) {
	data, err := specForm.read(path)
	if err != nil {
		return nil, nil, err
	}
	spec = &Spec{name: path}
	places, err := specForm.decode(path, data, spec)
	if places == nil {
		return nil, nil, err
	}
	spec.places = places
	var wrong *LoadError
	var faults []Fault
	if errors.As(err, &wrong) {
		faults = wrong.Faults
	}
	for _, f := range spec.outside(layout) {
		switch {
		case isUnset(f):
			unset = append(unset, f)
		case f.File != path || !said(faults, f.Path):
			faults = append(faults, f)
		}
	}
	return spec, unset, loadError(faults)
}

func isUnset(f Fault) bool {
	var v *VariableError
	return errors.As(f.Err, &v)
}

// said tells whether something is wrong already with the value at a path, with what
// it stands in, or with a part of it.
func said(faults []Fault, path string) bool {
	for _, f := range faults {
		if f.Path == path || strings.HasPrefix(path, f.Path+".") || strings.HasPrefix(f.Path, path+".") {
			return true
		}
	}
	return false
}

// outside finds what is wrong outside of the file itself, in the order of the file's
// keys.
func (s *Spec) outside(layout func(path string, repository Reference) error) []Fault {
	faults := s.certificates()
	for i, source := range s.Sources {
		at := element("sources", i)
		selections, wrong := s.selections(at, source)
		faults = append(faults, wrong...)
		for _, selection := range selections {
			if selection.Layout == "" {
				continue
			}
			if err := layout(selection.Layout, selection.Reference); err != nil {
				faults = append(faults, s.fault(at+".layout", err))
			}
		}
	}
	for _, err := range []error{second(s.OutputPath(time.Now())), second(s.ResolveTargets())} {
		var wrong *LoadError
		if errors.As(err, &wrong) {
			faults = append(faults, wrong.Faults...)
		}
	}
	return faults
}

func second[T any](_ T, err error) error { return err }

// certificates finds those that cannot be read.
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
				faults = append(faults, s.fault(element("registries", i)+"."+file.key, err))
			}
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
