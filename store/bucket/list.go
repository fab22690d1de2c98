package bucket

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// Object is an object in a list.
type Object struct {
	Key  string
	Size int64
}

// errEndlessList is the error of a store whose list begins again in place of its next page,
// or has no objects in its pages.
var errEndlessList = errors.New("the list of the object store does not end")

// maxEmptyPages bounds the pages in a row without an object. A page may have none: S3 skips
// a thousand deleted versions in it.
const maxEmptyPages = 1000

// List lists the objects below a prefix in the order of their keys, 1,000 with a request.
// After an error it ends.
func (c *Client) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return c.list(ctx, minio.ListObjectsOptions{Prefix: prefix, Recursive: true})
}

// ListTop is List without what is below a slash after the prefix: of that it yields the
// common part, which ends in a slash, after the objects.
func (c *Client) ListTop(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return c.list(ctx, minio.ListObjectsOptions{Prefix: prefix})
}

func (c *Client) list(ctx context.Context, o minio.ListObjectsOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for {
			begun, stopped := o.StartAfter, false
			var broken error // in the middle: what follows has all its tries again
			err := c.try(ctx, "list", o.Prefix, func(ctx context.Context) error {
				err := c.listFrom(ctx, &o, func(one Object) bool {
					stopped = !yield(one, nil)
					return !stopped
				})
				if err != nil && o.StartAfter != begun {
					broken, err = newError("list", c.name(o.Prefix), err), nil
				}
				return err
			})
			if err == nil && broken != nil {
				if err = broken; retryable(ctx, broken) {
					err = c.pause(ctx, 1, shortReason(broken))
				}
				if err == nil {
					continue
				}
			}
			if err != nil && !stopped {
				yield(Object{}, err)
			}
			return
		}
	}
}

// listFrom passes the objects after o.StartAfter to yield, and moves it on.
func (c *Client) listFrom(ctx context.Context, o *minio.ListObjectsOptions, yield func(Object) bool) error {
	p := new(pages)
	for info := range c.core.ListObjectsIter(context.WithValue(ctx, pagesKey{}, p), c.bucket, *o) {
		if info.Err != nil {
			return info.Err
		}
		p.empty = 0
		o.StartAfter = info.Key
		if !yield(Object{Key: info.Key, Size: info.Size}) {
			return nil
		}
	}
	return ctx.Err()
}

// pages watches the requests for the pages of a list, by way of their context.
type pages struct {
	count  int
	empty  int    // in a row
	marked string // a token of an earlier page
}

type pagesKey struct{}

// watchPages returns errEndlessList for a request that would never come to an end. A token
// that was marked comes again if the list runs in a circle, since the marks get further and
// further apart (Brent, "An Improved Monte Carlo Factorization Algorithm", 1980).
func watchPages(r *http.Request) error {
	p, ok := r.Context().Value(pagesKey{}).(*pages)
	if !ok {
		return nil
	}
	token := r.URL.Query().Get("continuation-token")
	p.count++
	p.empty++
	if token != "" && token == p.marked || p.empty > maxEmptyPages {
		return errEndlessList
	}
	if p.count&(p.count-1) == 0 {
		p.marked = token
	}
	return nil
}
