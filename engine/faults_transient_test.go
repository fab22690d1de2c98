package engine_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// Faults that pass: they cost nothing but time.

func TestResetAtHalfOfEveryFifthBlob(t *testing.T) {
	survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		r.Fault(everyNth(5, bytesOfBlobs, func(req *http.Request) testregistry.Fault {
			if req.Method == http.MethodPut {
				return testregistry.ResetAfter(req.ContentLength / 2)
			}
			return resetAtHalf()
		}))
	})
}

func TestUnavailableOnEveryTenthRequest(t *testing.T) {
	survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		r.Fault(everyNth(10, anyRequest, func(*http.Request) testregistry.Fault { return testregistry.Status(503, "") }))
	})
}

func TestRateLimitOnEveryTenthRequest(t *testing.T) {
	c := survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		r.Fault(everyNth(10, anyRequest, func(*http.Request) testregistry.Fault { return testregistry.Status(429, "77") }))
	})
	if !slices.ContainsFunc(c.pauses(), func(d time.Duration) bool { return d >= 70*time.Second }) {
		t.Errorf("the pause that was asked for was not kept: %v", c.pauses())
	}
}

func TestResetBeforeTheAnswer(t *testing.T) {
	survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		r.Fault(everyNth(10, anyRequest, func(*http.Request) testregistry.Fault { return testregistry.Reset() }))
	})
}

// TestStalledBody: a body that stops is given up and goes on by Range.
func TestStalledBody(t *testing.T) {
	survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		stalls := 0
		r.Fault(everyNth(7, bytesOfBlobs, func(req *http.Request) testregistry.Fault {
			if stalls++; stalls > 2 || req.Method == http.MethodPut {
				return nil
			}
			return testregistry.StallAt(5, nil)
		}))
	})
}

// TestFlippedByteOnce: each blob and each manifest comes wrong the first time.
func TestFlippedByteOnce(t *testing.T) {
	for _, kind := range []string{"GET blob", "GET manifest"} {
		t.Run(kind, func(t *testing.T) {
			survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
				r.Fault(firstOfEach(kind, testregistry.Flip(1)))
			})
		})
	}
}

// TestShortBody: the body ends early as if it were whole, with no length said.
func TestShortBody(t *testing.T) {
	for _, kind := range []string{"GET blob", "GET manifest"} {
		t.Run(kind, func(t *testing.T) {
			survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
				r.Fault(firstOfEach(kind, rewriteBody(func(body []byte) []byte { return body[:len(body)/2] })))
			})
		})
	}
}

// TestLongBody: more comes than the descriptor says.
func TestLongBody(t *testing.T) {
	survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		r.Fault(firstOfEach("GET blob", rewriteBody(func(body []byte) []byte { return append(bytes.Clone(body), 'x') })))
	})
}

// TestWrongContentLength: the header says another length than the blob has.
func TestWrongContentLength(t *testing.T) {
	for name, length := range map[string]int64{"shorter": 2, "longer": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
				r.Fault(firstOfEach("GET blob", testregistry.WrongLength(length)))
			})
		})
	}
}

// TestTokenExpiresInTheMiddle makes every token worthless again and again, but
// never one that was given out just now: sixteen requests are in flight, and each
// upload takes three.
func TestTokenExpiresInTheMiddle(t *testing.T) {
	var expired atomic.Int32
	survives(t, testregistry.Options{Token: true}, func(r *testregistry.Registry) {
		since := 0
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if since++; testregistry.Kind(req) == "GET token" {
				since = 0
			}
			if since == 60 {
				expired.Add(1)
				r.ExpireTokens() // after this request was let in
			}
			return nil
		})
	})
	if expired.Load() == 0 {
		t.Error("no token expired")
	}
}

// TestTokensThatLastTwoSeconds: each request takes a twentieth of a second of a clock
// by which tokens end, so that no transfer gets by with one. They come one at a time:
// while the machine holds one of several back, the others could make the two seconds
// of its token pass, which no client can help.
func TestTokensThatLastTwoSeconds(t *testing.T) {
	c := newFalseClock()
	c.atOnce = 1
	var tokens atomic.Int32
	c.survives(t, testregistry.Options{Token: true, TokenLife: 2 * time.Second, Now: c.Now}, func(r *testregistry.Registry) {
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			c.pass(50 * time.Millisecond)
			if testregistry.Kind(req) == "GET token" {
				tokens.Add(1)
			}
			return nil
		})
	})
	if n := tokens.Load(); n < 15 {
		t.Errorf("%d tokens in all", n)
	}
}

// TestRegistryRestartsInTheMiddle: transfers in flight break, the registry is away for a
// while, then the registry is back and knows no upload that was begun before.
func TestRegistryRestartsInTheMiddle(t *testing.T) {
	const restart = 14 * time.Second // less than the first four pauses of one request
	clock := newFalseClock()
	clock.survives(t, testregistry.Options{}, func(r *testregistry.Registry) {
		n := 0
		var up time.Time // the end of the restart
		broken := make(map[string]bool)
		before := make(map[string]bool) // uploads that were begun before it went down
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if n++; n == 30 {
				up = clock.Now().Add(restart)
			}
			down, upload := clock.Now().Before(up), req.URL.Query().Get("digest")
			switch {
			case n < 30 && testregistry.Kind(req) == "PUT upload":
				before[req.URL.Path] = true
			case down && (upload == "" || !broken[upload]):
				broken[upload] = true
				return testregistry.Reset()
			case n >= 30 && !down && before[req.URL.Path]:
				return testregistry.Status(404, "")
			}
			return nil
		})
	})
	if n := len(clock.pauses()); n < 16 {
		t.Errorf("%d pauses in all", n)
	}
}

// TestRangeIgnored: a registry that sends whole blobs only costs bytes, whatever
// breaks besides.
func TestRangeIgnored(t *testing.T) {
	survives(t, testregistry.Options{NoRange: true}, func(r *testregistry.Registry) {
		r.Fault(everyNth(5, func(req *http.Request) bool {
			return strings.Contains(req.URL.Path, "/blobs/sha256:") && req.Method == http.MethodGet
		},
			func(*http.Request) testregistry.Fault { return resetAtHalf() }))
	})
}

// TestRangeAnsweredWrongly: a registry may answer to a Range with some other part, or
// refuse it, within a run and in the one after an interruption.
func TestRangeAnsweredWrongly(t *testing.T) {
	for name, wrong := range map[string]testregistry.Fault{
		"another part": answerTo(func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 0-9/1048576")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(make([]byte, 10))
		}),
		"a part that says it is all": answerTo(func(w http.ResponseWriter) { w.Write(make([]byte, 10)) }),
		"not satisfiable":            testregistry.Status(http.StatusRequestedRangeNotSatisfiable, ""),
	} {
		for _, out := range outputs {
			t.Run(name+" "+out, func(t *testing.T) {
				r := testregistry.New(t, testregistry.Options{})
				r.Image("app", "v1", testregistry.Random("large", 1<<20))
				path, sources := t.TempDir()+"/"+out, selections(t, r.Host+"/app:v1")
				halves := 0
				large := digest.FromBytes(testregistry.Random("large", 1<<20)).String()
				r.Fault(func(req *http.Request, _ int) testregistry.Fault {
					if !strings.HasSuffix(req.URL.Path, large) {
						return nil
					}
					if halves++; halves == 1 {
						return testregistry.Cut(500_000)
					}
					return testregistry.Status(http.StatusForbidden, "")
				})
				report, err := backupWith(t, newFalseClock().faced(t, 1), path, sources, engine.BackupOptions{})
				if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 {
					t.Fatalf("ended with %v", err)
				}
				halves = 0
				r.Fault(func(req *http.Request, _ int) testregistry.Fault {
					switch {
					case !bytesOfBlobs(req):
						return nil
					case req.Header.Get("Range") != "":
						return wrong
					case halves == 0:
						halves++
						return resetAtHalf()
					}
					return nil
				})
				report, err = backupWith(t, newFalseClock().faced(t, 1), path, sources, engine.BackupOptions{})
				whole(t, report, err)
				entries(t, path)
			})
		}
	}
}

// answerTo answers in the place of the registry.
func answerTo(write func(w http.ResponseWriter)) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w) })
	}
}
