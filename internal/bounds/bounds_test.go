package bounds

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
)

func TestWeightCountsWhatStandsOutsideOfStrings(t *testing.T) {
	text := strings.Repeat(" ", small)
	for document, values := range map[string]int64{
		`{"a":[1,2,{}]}`:            5,
		`{"a":",,{[\"," ,"b":"\\"}`: 2,
		`{"not closed`:              1,
		`"`:                         0,
	} {
		n := int64(len(text) + len(document))
		if weight, err := Weight([]byte(text + document)); err != nil || weight != 2*n+valueCost*values {
			t.Errorf("%s: %d values, %v; want %d", document, (weight-2*n)/valueCost, err, values)
		}
	}
}

func TestWeightOfASmallDocumentIsNotUnderestimated(t *testing.T) {
	for n := range 3 * small {
		weight, err := Weight([]byte(strings.Repeat("[", n)))
		if err != nil || weight < 2*int64(n)+valueCost*int64(n) {
			t.Fatalf("%d values weigh %d, %v", n, weight, err)
		}
	}
}

func TestDocumentOfTooManyValues(t *testing.T) {
	var beyond *Error
	if _, err := Weight([]byte("[" + strings.Repeat("{},", Values))); !errors.As(err, &beyond) {
		t.Error(err)
	}
}

func TestMemoryThatDoesNotFit(t *testing.T) {
	much := 0
	SetMemory(1000, func() { much++ })
	defer SetMemory(0, nil)
	var full *MemoryError
	if err := Take(1001); !errors.As(err, &full) {
		t.Error(err)
	}
	if err := Take(1000); err != nil {
		t.Error("what was refused counts:", err)
	}
	if got := Room(500, 20); got != 20 {
		t.Errorf("room for %d", got)
	}
	if much != 1 {
		t.Errorf("told %d times that it is much", much)
	}
	Give(600)
	if got := Room(500, 20); got != 500 {
		t.Errorf("room for %d", got)
	}
	if got := Room(700, 20); got != 600 {
		t.Errorf("room for %d", got)
	}
}

func TestOneLargeDocumentAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := NewLane()
		first, done := lane.Begin(t.Context())
		if err := errors.Join(Enter(first, large+1), Enter(first, 2*large)); err != nil {
			t.Fatal(err)
		}
		small, smallDone := lane.Begin(t.Context())
		defer smallDone()
		if err := Enter(small, large); err != nil {
			t.Fatal(err)
		}
		in := false
		go func() {
			second, done := lane.Begin(t.Context())
			defer done()
			if err := Enter(second, large+1); err != nil {
				t.Error(err)
			}
			in = true
		}()
		synctest.Wait()
		if in {
			t.Error("two large documents at once")
		}
		done()
		synctest.Wait()
		if !in {
			t.Error("the second still waits")
		}
	})
}

func TestWaitingForTheLaneEndsWithTheRun(t *testing.T) {
	lane := NewLane()
	first, done := lane.Begin(t.Context())
	defer done()
	if err := Enter(first, large+1); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	second, secondDone := lane.Begin(ended)
	defer secondDone()
	if err := Enter(second, large+1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWithinWhatWasBegunBeginDoesNothing(t *testing.T) {
	lane := NewLane()
	outer, done := lane.Begin(t.Context())
	inner, innerDone := lane.Begin(outer)
	if err := Enter(inner, large+1); err != nil {
		t.Fatal(err)
	}
	innerDone()
	if len(lane.free) != 1 {
		t.Error("the inner one let go of the lane")
	}
	Leave(outer)
	if len(lane.free) != 0 {
		t.Error("the lane is still held")
	}
	done()
}

func TestSumDoesNotOverflow(t *testing.T) {
	for _, tt := range [][3]int64{{1, 2, 3}, {math.MaxInt64, 1, math.MaxInt64}, {1, math.MaxInt64, math.MaxInt64}, {math.MaxInt64, -1, math.MaxInt64 - 1}, {0, 0, 0}} {
		if got := Sum(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%d and %d are %d", tt[0], tt[1], got)
		}
	}
}
