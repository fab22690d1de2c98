package trust

import (
	"errors"
	"slices"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/oras-mirror/oras-mirror/engine"
)

// signPredicate is the predicate type of a bundle that "cosign sign" writes. Attestations have
// the same media type and other predicates.
const signPredicate = "https://sigstore.dev/cosign/sign/v1"

// verifyBundle verifies a sigstore bundle.
func (c *cosignPolicy) verifyBundle(subject engine.Subject, content []byte) ([]string, error) {
	b, err := parseBundle(content)
	if err != nil {
		return nil, &FormatError{Err: err}
	}
	envelope, err := b.Envelope()
	if err != nil {
		return nil, &FormatError{Err: errors.New("the bundle has no statement")}
	}
	statement, err := envelope.Statement()
	if err != nil {
		return nil, &FormatError{Err: err}
	}
	if predicate := statement.GetPredicateType(); predicate != signPredicate {
		return nil, &AttestationError{Predicate: predicate}
	}
	want := subject.Descriptor.Digest
	var signed, named []string
	for _, s := range statement.GetSubject() {
		for algorithm, encoded := range s.GetDigest() {
			signed = append(signed, algorithm+":"+encoded)
			if algorithm+":"+encoded == want.String() {
				named = append(named, s.GetName())
			}
		}
	}
	if len(named) == 0 {
		slices.Sort(signed)
		return nil, &SubjectError{Signed: signed}
	}
	if err := c.checkRepository(subject, named...); err != nil {
		return nil, err
	}
	e, err := bundleEntity(b, subject)
	if err != nil {
		return nil, &FormatError{Err: err}
	}
	return c.verify(e)
}

func parseBundle(content []byte) (*bundle.Bundle, error) {
	b := &protobundle.Bundle{}
	if err := protojson.Unmarshal(content, b); err != nil {
		return nil, err
	}
	if err := checkMaterial(b); err != nil {
		return nil, err
	}
	return bundle.NewBundle(b)
}

// bundleEntity returns a bundle as an entity whose statement must name the subject.
func bundleEntity(b *bundle.Bundle, subject engine.Subject) (*entity, error) {
	e := &entity{subject: subject.Descriptor.Digest}
	var err error
	if e.content, err = b.SignatureContent(); err != nil {
		return nil, err
	}
	material, err := b.VerificationContent()
	if err != nil {
		return nil, err
	}
	if material.Certificate() != nil {
		e.certificate = material
	}
	if e.entries, err = b.TlogEntries(); err != nil {
		return nil, err
	}
	e.timestamps, err = b.Timestamps()
	return e, err
}
