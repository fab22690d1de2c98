package oci

import "testing"

// TestMarkOfPruneStaysInItsBucket merges a layout that was pruned with another one.
func TestMarkOfPruneStaysInItsBucket(t *testing.T) {
	got := uniteAnnotations(nil, map[string]string{AnnotationPruned: "MARK", AnnotationBase: "sha256:1"})
	if _, has := got[AnnotationPruned]; has || got[AnnotationBase] != "sha256:1" {
		t.Errorf("%v", got)
	}
}
