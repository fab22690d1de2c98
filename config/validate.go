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

// Validate loads a spec and checks the files that it names: lists, layouts, certificates, and
// the paths and targets that its variables expand to. layout returns an error if a layout is
// invalid; repository is that of its bare tags. err is a [*LoadError] with every fault. A value
// with a variable that is not set cannot be checked: unset holds those instead.
func Validate(path string, layout func(s *Spec, path string, repository Reference) error) (spec *Spec, unset []Fault, err error) {
	data, err := specFormat.read(path)
	if err != nil {
		return nil, nil, err
	}
	spec = &Spec{file: path}
	positions, err := specFormat.decode(path, data, spec)
	if positions == nil {
		return nil, nil, err
	}
	spec.positions = positions
	faults := faultsOf(err)
	for _, f := range spec.externalFaults(layout) {
		_, isUnset := errors.AsType[*VariableError](f.Err)
		switch {
		case isUnset:
			unset = append(unset, f)
		case f.File != path || !reported(faults, f.Path):
			faults = append(faults, f)
		}
	}
	return spec, unset, loadError(faults)
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
func (s *Spec) externalFaults(layout func(s *Spec, path string, repository Reference) error) []Fault {
	faults := s.certificates()
	for i, source := range s.Sources {
		at := strictyaml.Element("sources", i)
		selections, more := s.selections(at, source)
		faults = append(faults, more...)
		for _, selection := range selections {
			if selection.Layout == "" {
				continue
			}
			if err := layout(s, selection.Layout, selection.Reference); err != nil {
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
