package pool

import "golang.org/x/sync/errgroup"

// Each calls do for each of many, a few at a time.
func Each[T any](few int, many []T, do func(T) error) error {
	var group errgroup.Group
	group.SetLimit(few)
	for _, one := range many {
		group.Go(func() error { return do(one) })
	}
	return group.Wait()
}
