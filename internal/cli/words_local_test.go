package cli

import (
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/migrate"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// toolWordings are about the specs of other tools.
func toolWordings() []wording {
	return []wording{
		{name: "Specs of other tools"},
		{name: "a file in no known format", err: &migrate.UnknownError{File: "values.yaml"}},
		{name: "an empty file", err: &migrate.UnknownError{File: "regsync.yml", IsEmpty: true}},
		{name: "a mirror spec", err: &migrate.UnknownError{File: "mirror.yaml", Kind: "Mirror", IsSpec: true}},
		{name: "a manifest of Kubernetes", err: &migrate.UnknownError{File: "app.yaml", Kind: "Deployment", IsManifest: true}},
		{name: "a template", err: &migrate.SyntaxError{File: "regsync.yml", Line: 3, Template: true, Err: errors.New("invalid YAML: did not find expected node content")}},
		{name: "two sources of a new spec", args: []string{"init", "--from", "regsync.yml", "--input", "bundle.tgz"}},
	}
}

// diskWordings are about layouts and files on disk.
func diskWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	const mirrored = "registry.corp.example/mirror/acme/app:v1"
	digests := &oci.MismatchError{Descriptor: ocispec.Descriptor{Digest: sum, Size: 12}, Size: 12, Digest: digest.FromString("something else")}
	return []wording{
		{name: "On disk"},
		{name: "two at once", err: &disk.LockedError{Path: "mirror"}},
		{name: "a file of another program", err: &disk.StrangerError{Path: "bundle.tgz.partial"}},
		{name: "another directory", err: &store.NotLayoutError{Path: "photos"}},
		{name: "no input", err: &store.InputError{Path: "bundle.tgz", Reason: "does not exist", Err: fs.ErrNotExist}},
		{name: "no archive", err: &store.InputError{Path: "notes.txt", Reason: "neither a tar archive nor an OCI layout"}},
		{name: "nothing in it", err: engine.ErrNoArtifact},
		{name: "no index", err: &store.InputError{Path: "mirror", Reason: `index.json has no list "manifests"`, Err: &oci.IndexError{Err: errors.New(`has no list "manifests"`)}}},
		{name: "a link in a pipe", err: &store.InputError{Path: "standard input", Reason: (&bundle.LinkError{Name: "blobs/sha256/9f86", To: "cache/9f86"}).Error(), Err: &bundle.LinkError{}}},
		{name: "too late in a pipe", err: &store.InputError{Path: "standard input", Reason: (&store.LateError{Digest: sum}).Error(), Err: &store.LateError{}}},
		{name: "a docker-archive", err: &store.InputError{Path: "old.tar", Reason: (&store.DockerArchiveError{}).Error(), Err: &store.DockerArchiveError{Images: []string{"nginx:1.25"}}}},
		{name: "a docker-archive of many", err: &store.InputError{Path: "old.tar", Reason: (&store.DockerArchiveError{}).Error(), Err: &store.DockerArchiveError{Images: []string{"quay.io/a/b:1", "nginx:1.25"}, Many: true}}},
		{name: "a docker-archive without a name", err: &store.InputError{Path: "old.tar", Reason: (&store.DockerArchiveError{}).Error(), Err: &store.DockerArchiveError{}}},
		{name: "an incomplete bundle", err: &exit.IncompleteError{Input: "bundle.tgz", Missing: []string{"ghcr.io/acme/app:v1", "referrers of ghcr.io/acme/app:v2"}}},
		{name: "an incomplete bundle, by policies", err: &exit.IncompleteError{Input: "bundle.tgz", Missing: []string{"ghcr.io/acme/app:v1"}, Judged: true}},
		{name: "half an archive", err: &store.InputError{Path: "bundle.tgz", Reason: "the archive is truncated", Err: io.ErrUnexpectedEOF}},
		{name: "a damaged input", target: mirrored, err: &engine.CorruptError{Err: digests}},
		{name: "a delta without its base", target: mirrored, err: &engine.NeedsBaseError{Base: "monday.tgz", Blob: sum}},
		{name: "a full backup into a delta", err: &engine.DeltaOutputError{Path: "tuesday.tgz", Base: "monday.tgz"}},
		{name: "a delta into a full backup", err: &engine.FullOutputError{Path: "mirror"}},
		{name: "a base that changes", err: &engine.BaseChangedError{Base: "monday.tgz"}},
		{name: "a damaged list of a delta", err: &delta.Error{List: sum, Err: digests}},
		{name: "too many files", err: &fs.PathError{Op: "open", Path: "mirror/blobs/sha256/9f86", Err: syscall.EMFILE}},
		{name: "no lock", err: &exit.NoLockError{Path: "mirror.lock.yaml"}},
		{name: "drift", err: &exit.DriftError{Lock: "mirror.lock.yaml", Reference: app, Reason: "it is in ./vendor but not in the lock"}},
		{name: "an address in use", err: &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}},
		{name: "interrupted", err: &exit.SignalError{Signal: syscall.SIGINT}, hints: advice.Hints{Resume: "bundle.tgz.partial keeps 4.7 KiB of 12 MiB fetched: run the same command to resume, or with --no-resume to start over"}},
	}
}

// bucketWordings are about object storage.
func bucketWordings() []wording {
	return []wording{
		{name: "Object storage"},
		{name: "an invalid name of a bucket", err: refusedByBucket(400, "InvalidBucketName", "The specified bucket is not valid")},
		{name: "no such bucket", err: refusedByBucket(404, "NoSuchBucket", "The specified bucket does not exist")},
		{name: "not allowed in a bucket", err: refusedByBucket(403, "AccessDenied", "Access Denied")},
		{name: "a prune.json without an end", err: &store.OutputError{Path: nightly, Err: &store.PruneListError{Path: nightly + "prune.json", Err: bucket.ErrTooLong}}},
		{name: "no permission to write", err: deniedByBucket("put")},
		{name: "no permission to list", err: deniedByBucket("list")},
		{name: "no permission to list uploads", err: deniedByBucket("list uploads")},
		{name: "no permission to list parts", err: deniedByBucket("list parts")},
		{name: "no permission to abort", err: deniedByBucket("abort")},
		{name: "no permission to remove", err: deniedByBucket("remove")},
		{name: "no permission to copy", err: deniedByBucket("copy")},
		{name: "no credentials for a bucket", err: &bucket.Error{Op: "get", Name: nightly + "index.json", Status: 403, Code: "AccessDenied", Anonymous: true, Err: errors.New("403 AccessDenied: Access Denied")}},
		{name: "no layout in a bucket", err: &store.InputError{Path: nightly, Reason: "no OCI layout in the bucket under this name", Err: fs.ErrNotExist}},
		{name: "no layout at the top of a bucket", err: &store.InputError{Path: "s3://backups/", Reason: "no OCI layout in the bucket under this name", Err: fs.ErrNotExist}},
		{name: "no bundle in a bucket", err: &store.InputError{Path: "s3://backups/nightly", Reason: "does not exist", Err: fs.ErrNotExist}},
		{name: "wrong key of a bucket", err: refusedByBucket(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided")},
		{name: "a session that has ended", err: refusedByBucket(400, "ExpiredToken", "The provided token has expired")},
		{name: "another region", err: refusedByBucket(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint")},
		{name: "a clock that is wrong", err: refusedByBucket(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large")},
		{name: "too many requests to a bucket", err: refusedByBucket(503, "SlowDown", "Please reduce your request rate")},
		{name: "an endpoint that does not exist", err: &store.OutputError{Path: nightly, Err: &bucket.Error{Op: "get", Name: nightly + "index.json", Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "s3.corp.example", IsNotFound: true}}}}},
		{name: "an endpoint with an unknown certificate", err: &store.OutputError{Path: nightly, Err: &bucket.Error{Op: "get", Name: nightly + "index.json", Err: untrusted(x509.UnknownAuthorityError{})}}},
		{name: "a store that refuses each write", err: &store.RefusedError{Path: nightly + "index.json"}},
		{name: "a store without conditional writes", err: &store.UnconditionalError{Path: nightly, Header: "If-None-Match"}},
		{name: "another place in a bucket", err: &store.NotLayoutError{Path: "s3://backups/photos/"}},
	}
}

func commandLineWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	return []wording{
		{name: "Command line"},
		{name: "misspelt command", args: []string{"bakup"}},
		{name: "a command of other tools", args: []string{"copy", app, "registry.corp.example/acme/app:v1"}},
		{name: "a flag of other tools", args: []string{"restore", "-i", "bundle.tgz", "localhost:5000"}},
		{name: "a flag of another command", args: []string{"verify", "--only", "ghcr.io/**"}},
		{name: "a backup on trial", args: []string{"backup", "--dry-run", "-o", "x.tgz", app}},
		{name: "the version", args: []string{"--version"}},
		{name: "misspelt flag", args: []string{"backup", "--ouput", "x.tgz", app}},
		{name: "misspelt help", args: []string{"backup", "--hlep"}},
		{name: "misspelt value", args: []string{"backup", "-o", "x.tgz", "--format", "jsn", app}},
		{name: "no number", args: []string{"backup", "-o", "x.tgz", "--concurrency", "many", app}},
		{name: "no size", args: []string{"backup", "-o", "x.tgz", "--buffer", "much", app}},
		{name: "no duration", args: []string{"backup", "-o", "x.tgz", "--stall-timeout", "soon", app}},
		{name: "misspelt key", args: []string{"validate", "-f", "key.yaml"}},
		{name: "misspelt value of a key", args: []string{"validate", "-f", "value.yaml"}},
		{name: "a template for a manifest", args: []string{"images", "chart.yaml"}},
		{name: "a manifest for a spec", args: []string{"backup", "-f", "deployment.yaml"}},
		{name: "variables in a manifest", args: []string{"images", "variables.yaml"}},
		{name: "not an image", args: []string{"images", "image.yaml"}},
		{name: "no file for a pattern", args: []string{"validate", "-f", "kubernetes.yaml"}},
		{name: "a sort without a group", args: []string{"validate", "-f", "sort.yaml"}},
		{name: "no such spec", args: []string{"validate", "-f", "none.yaml"}},
		{name: "no registry", args: []string{"backup", "-o", "x.tgz", "nginx:1.25"}},
		{name: "a spec without -f", args: []string{"backup", "-o", "x.tgz", "key.yaml"}},
		{name: "an input without --input", args: []string{"list", "bundle.tgz"}},
		{name: "an input without --input, before a target", args: []string{"restore", "bundle.tgz", "localhost:5000"}},
		{name: "no file to compare", args: []string{"diff", "monday.tgz", "tuesday.tgz"}},
		{name: "an archive to prune", args: []string{"prune", "-f", "prune.yaml"}},
		{name: "a spec without sources", args: []string{"backup", "-f", "targets.yaml", "-o", "x.tgz"}},
		{name: "misspelt target", args: []string{"restore", "-f", "targets.yaml", "--input", "x.tgz", "prd"}},
		{name: "a mapping of an address", args: []string{"restore", "--input", "x.tgz", "--map", "https://ghcr.io/acme=acme", "localhost:5000"}},
		{name: "a tab", args: []string{"validate", "-f", "tab.yaml"}},
		{name: "tags that are not a mapping", args: []string{"validate", "-f", "tags.yaml"}},
		{name: "a wrong indent", args: []string{"validate", "-f", "indent.yaml"}},
		{name: "no output", args: []string{"backup", app}},
		{name: "no input", args: []string{"restore", "localhost:5000"}},
		{name: "nothing to serve", args: []string{"serve"}},
		{name: "a stream to serve", args: []string{"serve", "--input", "-"}},
		{name: "a certificate without a key", args: []string{"serve", "--input", "x.tgz", "--cert-file", "tls.crt"}},
		{name: "passwords that are not bcrypt's", args: []string{"serve", "--input", "x.tgz", "--htpasswd", "users"}},
		{name: "a port without a colon", args: []string{"serve", "--input", "x.tgz", "--listen", "5000"}},
		{name: "no target", args: []string{"restore", "--input", "x.tgz"}},
		{name: "nothing to do", args: []string{"backup", "-o", "x.tgz"}},
		{name: "two uses of standard output", args: []string{"backup", "-o", "-", "--format", "json", app}},
		{name: "no shard", args: []string{"backup", "-o", "x/", "--shard", "2", app}},
		{name: "a shard counted from 1", args: []string{"backup", "-o", "x/", "--shard", "4/4", app}},
		{name: "all shards at once", args: []string{"backup", "-o", "x/", "--shard", "all/4", app}},
		{name: "no index of a job", args: []string{"restore", "--input", "x.tgz", "--shard", "auto/4", "localhost:5000"}},
		{name: "one bundle for all shards", args: []string{"backup", "-o", "x.tgz", "--shard", "0/4", app}},
		{name: "a bundle of a shard without one", args: []string{"backup", "-f", "shard.yaml"}},
		{name: "quiet and debug", args: []string{"backup", "-q", "-d", "-o", "x.tgz", app}},
	}
}
