package filter

import (
	"slices"
	"strings"
	"testing"
)

// TestSort selects the newest tags by the groups of a pattern.
func TestSort(t *testing.T) {
	for _, tt := range []struct {
		name, pattern, by string
		latest            int
		all, want         string
	}{
		{"numbers", `build-(?P<n>\d+)`, OrderNumber, 2, "build-9 build-10 build-100 latest build-x", "build-10 build-100"},
		{"ties by text", `b(\d+)-.*`, OrderNumber, 2, "b1-b b1-c b1-a b01-z", "b1-b b1-c"},
		{"beyond 64 bits", `(\d+)`, OrderNumber, 2, "99999999999999999999 100000000000000000000 18446744073709551616 5", "100000000000000000000 99999999999999999999"},
		{"leading zeros", `(\d+)`, OrderNumber, 1, "0009 10 000", "10"},
		{"fractions", `r(.*)`, OrderNumber, 2, "r1.5 r1.25 r1.49 r1.5.1 r-7 rx", "r1.49 r1.5"},
		{"not numbers", `b-(.*)`, OrderNumber, 1, "b-x b-y", ""},
		{"several groups", `r(\d+)\.(\d+)(?:-rc(\d+))?`, OrderNumber, 3, "r1.10 r1.9 r1.10-rc2 r1.10-rc1 r0.99", "r1.10 r1.10-rc1 r1.10-rc2"},
		{"only some match", `b(\d+)`, OrderNumber, 5, "b1 latest main b2", "b1 b2"},
		{"a part of a tag", `b(\d+)`, OrderNumber, 5, "b1-debug xb2 b3", "b3"},
		{"dates", `(.*)-alpine`, OrderDate, 3, "2024-05-31-alpine 20240601-alpine 2024.6.2-alpine 2023-alpine nightly-alpine 20240230-alpine", "2024-05-31-alpine 2024.6.2-alpine 20240601-alpine"},
		{"times", `n-(.*)`, OrderDate, 2, "n-20240531-142500 n-2024-05-31T14-25-01Z n-20240531T1424 n-20240531", "n-2024-05-31T14-25-01Z n-20240531-142500"},
		{"months", `(.*)`, OrderDate, 2, "2024-05 202406 2024.7 2024-13 1718000000000", "2024.7 202406"},
		{"text", `(?:noble|jammy|focal)-(.*)`, OrderText, 1, "noble-a jammy-c focal-b", "jammy-c"},
		{"an empty group", `b(\d*)`, OrderNumber, 5, "b b1", "b1"},
	} {
		tags := Tags{Latest: tt.latest, Sort: &Sort{Pattern: tt.pattern, By: tt.by}}
		got, err := tags.Select(strings.Fields(tt.all))
		if want := strings.Fields(tt.want); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, want)
		}
		if order := tags.Order(strings.Fields(tt.all)); order != "" && order != tt.by {
			t.Errorf("%s: the order is %s", tt.name, order)
		}
	}
}

// TestSortOfNames needs no list of tags.
func TestSortOfNames(t *testing.T) {
	tags := Tags{Names: []string{"b1", "b10", "b9"}, Latest: 2, Sort: &Sort{Pattern: `b(\d+)`, By: OrderNumber}}
	got, err := tags.Select(nil)
	if err != nil || !slices.Equal(got, []string{"b10", "b9"}) || tags.NeedsList() {
		t.Errorf("got %q, %v", got, err)
	}
	tags.Names = nil
	if !tags.NeedsList() {
		t.Error("without names the list is not read")
	}
}
