package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/loopback"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/serve"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

type serveCommand struct {
	Spec       string   `short:"f" name:"file" placeholder:"SPEC" help:"Give artifacts the names of the mappings in this mirror spec."`
	Input      []string `sep:"none" placeholder:"PATH" help:"Serve this directory, or tar archive of any kind, or either of them in a bucket. A quoted pattern such as 'NAME.*.tgz' reads all files that match. Repeatable; a base only lends its blobs to its delta."`
	Listen     string   `default:"127.0.0.1:5000" placeholder:"ADDRESS" help:"Listen on HOST:PORT, or on :PORT of every interface; default ${default}."`
	CertFile   string   `and:"certificate" placeholder:"PATH" help:"Serve https with this certificate and its chain, in PEM."`
	KeyFile    string   `and:"certificate" placeholder:"PATH" help:"Use this key of the certificate."`
	Htpasswd   string   `placeholder:"PATH" help:"Allow only the users in this htpasswd file, which must have bcrypt hashes."`
	Repository string   `placeholder:"REPOSITORY" help:"Put artifacts that have only a tag into this repository: PATH or REGISTRY/PATH."`
	Verify     bool     `help:"Hash every byte before listening; exit with code 5 if anything is damaged."`
	TempDir    string   `type:"existingdir" placeholder:"PATH" help:"Put temporary files in this folder, such as a compressed archive of another tool."`
	Format     string   `group:"Run" enum:"text,json" default:"text" placeholder:"text|json" help:"Log requests as text, or as json: one JSON object per event on standard output."`
	Quiet      bool     `group:"Run" short:"q" help:"Print only errors and hints, and log no requests."`
}

func (c *serveCommand) Help() string {
	return `The registry lists the names that restore would push. Each artifact can also be pulled under its full name, REGISTRY/PATH. Press Ctrl-C to stop it: running requests finish.

Examples:

    oras-mirror serve --input bundle.tgz
    oras-mirror serve --input 'bundle.*.tgz'
    oras-mirror serve --input monday.tgz --input tuesday.tgz
    oras-mirror serve -f mirror.yaml --input base.tgz --input more.tgz --listen :5000 --cert-file tls.crt --key-file tls.key --htpasswd users`
}

func (c *serveCommand) Run(ctx context.Context, u *console.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	u.Advise(func(h *advice.Hints) { h.OnlyInput = true })
	j := &serveJob{console: u, command: c}
	reading, keepReading, end := outliving(ctx)
	defer end()
	handler, certificates, err := j.prepare(ctx, reading)
	if err != nil {
		return err
	}
	defer handler.Inputs.Close()
	keepReading()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	exit.LetFinish(ctx)
	j.begin(handler.Inputs, listener.Addr().String(), certificates != nil)
	return errors.Join(handler.Run(ctx, listener, certificates), context.Cause(ctx))
}

// WantsEvents reports whether events replace the lines of the log.
func (c *serveCommand) WantsEvents() bool { return c.Format == "json" }

// Verbosity reports whether only errors and hints are printed.
func (c *serveCommand) Verbosity() (quiet, plain bool) { return c.Quiet, false }

// check checks the flags beyond their grammar.
func (c *serveCommand) check() error {
	if len(c.Input) == 0 {
		return exit.Usage("name a bundle or a directory with --input PATH", "missing --input")
	}
	inputs, err := option.ExpandInputs(c.Input)
	if err != nil {
		return err
	}
	c.Input = inputs
	for _, input := range c.Input {
		if input == "-" {
			return exit.Usage("save it to a file first", "standard input can be read only once, so it cannot be served")
		}
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return exit.Usage("examples: 127.0.0.1:5000, :5000", "invalid --listen %s", c.Listen)
	}
	return nil
}

// serveJob is one run of serve. Its methods may be called concurrently.
type serveJob struct {
	command *serveCommand

	mu      sync.Mutex // guards the following field, which is for one goroutine
	console *console.Console
}

// outliving returns a context that ends with ctx until keep is called, and then only with end:
// the requests that are under way at a signal still read from a bucket.
func outliving(ctx context.Context) (long context.Context, keep func() bool, end context.CancelFunc) {
	long, end = context.WithCancel(context.WithoutCancel(ctx))
	return long, context.AfterFunc(ctx, end), end
}

// prepare reads the files that the flags name, and opens the inputs. Reads from buckets end
// with the context reading.
func (j *serveJob) prepare(ctx, reading context.Context) (h *serve.Handler, certificates *tls.Config, err error) {
	c := j.command
	h = &serve.Handler{Log: j.log}
	if err := exit.CheckFiles(c.Htpasswd, c.CertFile, c.KeyFile); err != nil {
		return nil, nil, err
	}
	if c.Htpasswd != "" {
		if h.Login, err = serve.ReadPasswords(c.Htpasswd); err != nil {
			return nil, nil, passwordsError(err)
		}
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, nil, fmt.Errorf("%s, %s: %w", c.CertFile, c.KeyFile, err)
		}
		certificates = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	options, err := j.options(reading)
	if err == nil {
		h.Inputs, err = content.Open(ctx, options)
	}
	if unnamed, ok := errors.AsType[*content.UnnamedError](err); ok {
		err = exit.Usage("name the repository of artifacts with a bare tag: --repository PATH", "%s", unnamed)
	}
	return h, certificates, err
}

// passwordsError makes an invalid file of passwords an error of usage.
func passwordsError(err error) error {
	if invalid, ok := errors.AsType[*serve.PasswordFileError](err); ok {
		return exit.Usage(`"htpasswd -nB USER" prints a line with a bcrypt hash`, "%s", invalid)
	}
	return err
}

// options returns what is served.
func (j *serveJob) options(reading context.Context) (o content.Options, err error) {
	c := j.command
	o = content.Options{Notice: j.notice}
	if c.Verify {
		o.Check = j.verify
	}
	var spec *config.Spec
	if c.Spec != "" {
		if spec, err = config.Load(c.Spec); err != nil {
			return o, err
		}
	}
	if o.Mapper, err = spec.Mapper(); err != nil {
		return o, err
	}
	if o.Inputs, err = j.places(reading, spec); err != nil {
		return o, err
	}
	o.Repository, err = c.repository()
	return o, err
}

// repository parses --repository.
func (c *serveCommand) repository() (config.Reference, error) {
	if c.Repository == "" {
		return config.Reference{}, nil
	}
	if ref, err := config.ParseReference(c.Repository); err == nil && ref.IsRepository() {
		return ref, nil
	}
	if err := config.CheckRepository(c.Repository); err != nil {
		return config.Reference{}, exit.Usage("examples: team/app, registry.example.com/team/app", "invalid --repository %s: %s", c.Repository, err)
	}
	return config.Reference{Repository: c.Repository}, nil
}

// bucketTries bounds the tries of a request to a bucket: with the pauses between them a client
// waits a few seconds for its error.
const bucketTries = 4

// places returns where the inputs are. Buckets are reached by a spec, which may be nil.
func (j *serveJob) places(reading context.Context, spec *config.Spec) ([]store.Place, error) {
	buckets, err := openBuckets(reading, j.console, spec)
	if err != nil {
		return nil, err
	}
	buckets.Retry = bucket.Retry{Tries: bucketTries}
	places := make([]store.Place, len(j.command.Input))
	for i, path := range j.command.Input {
		places[i], err = store.At(path, store.OpenOptions{TempDir: j.command.TempDir, Buckets: buckets, Spooling: func(size int64) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.console.Spooling(path, size)
		}})
		if err != nil {
			return nil, err
		}
	}
	return places, nil
}

// damagedInput reports an input that is not served because it is damaged.
type damagedInput struct {
	path   string
	faults int
}

func (e *damagedInput) Error() string { return e.path + ": " + text.Count(e.faults, "fault") }

func (e *damagedInput) Unwrap() error { return exit.Unverified }

// verify hashes an input and prints its faults.
func (j *serveJob) verify(ctx context.Context, path string, l store.Layout) (*verify.Result, error) {
	v, err := store.Verify(ctx, l, verify.Options{})
	if err != nil || len(v.Faults) == 0 {
		return v, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range v.Faults {
		j.console.Fail(&faultError{f})
	}
	return nil, &damagedInput{path, len(v.Faults)}
}

func (j *serveJob) notice(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.console.Notice("%s", text)
}

// begin prints the address and the number of artifacts, and warns if others can listen in.
func (j *serveJob) begin(inputs *content.Inputs, address string, encrypted bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	url := "http://" + address
	if encrypted {
		url = "https://" + address
	}
	artifacts, repositories := inputs.Size()
	if host, _, _ := net.SplitHostPort(j.command.Listen); !encrypted && !loopback.Is(host) {
		what := "others on the network can read and change what clients pull"
		if j.command.Htpasswd != "" {
			what += ", and read passwords"
		}
		j.console.Notice("listening on %s without TLS: %s; --cert-file and --key-file prevent that", j.command.Listen, what)
	}
	j.console.Say("serving %s in %s on %s", text.Count(artifacts, "artifact"), text.Count(repositories, "repository"), url)
	j.console.Events.Listening(url, artifacts, repositories)
}

// log writes one request to the access log.
func (j *serveJob) log(a serve.Access) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u := j.console
	if u.Events != nil {
		if !j.command.Quiet {
			u.Events.Request(report.Request{Client: a.Client, User: a.User, Method: a.Method, URI: a.URI, StatusCode: a.Status,
				SentBytes: a.Bytes, DurationSeconds: a.Duration.Seconds(), Error: a.Error})
		}
		return
	}
	line := fmt.Sprintf("%s %s %s %s %s %d %d %s", time.Now().UTC().Format(time.RFC3339), a.Client, cmp.Or(a.User, "-"), a.Method, a.URI, a.Status, a.Bytes, a.Duration.Round(time.Microsecond))
	if a.Error != "" {
		line += " " + a.Error
	}
	u.Say("%s", line)
}
