package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/merge"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/trust"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// credentialWordings are about logins and permissions.
func credentialWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	const mirrored = "registry.corp.example/mirror/acme/app:v1"
	return []wording{
		{name: "Credentials and permissions"},
		{name: "not logged in", err: refusal("resolve", "registry.corp.example/acme/app:v1", 401, "UNAUTHORIZED", "authentication required")},
		{name: "not logged in, where an absent repository looks the same", err: refusal("resolve", "docker.io/acme/app:v1", 401, "UNAUTHORIZED", "authentication required")},
		{name: "no credential for basic authentication", err: &registry.Error{Op: "resolve", Reference: "registry.corp.example/acme/app:v1", Err: auth.ErrBasicCredentialNotFound}},
		{name: "wrong password, by flag", err: refusal("resolve", app, 401, "UNAUTHORIZED", "authentication required"), hints: advice.Hints{CredentialFlags: true}},
		{name: "wrong password, stored", err: refusal("resolve", "stored.example/acme/app:v1", 401, "UNAUTHORIZED", "authentication required")},
		{name: "a credential helper that fails", err: helperFailed(errors.New("exit status 1"))},
		{name: "a credential helper that is not there", err: helperFailed(&exec.Error{Name: "docker-credential-pass", Err: exec.ErrNotFound})},
		{name: "not allowed to read", err: refusal("list tags", "registry.corp.example/acme/app", 403, "DENIED", "requested access to the resource is denied")},
		{name: "not allowed to push", err: refusal("push", mirrored, 403, "DENIED", "requested access to the resource is denied"), target: mirrored},

		{name: "a challenge without a token service", err: &registry.Error{Op: "resolve", Reference: "registry.corp.example/acme/app:v1",
			Err: &transport.ChallengeError{Challenge: `Bearer service="registry.corp.example"`}}},
	}
}

// connectionWordings are about requests that get no answer of a registry.
func connectionWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	certificate := &x509.Certificate{DNSNames: []string{"registry.internal"}, NotAfter: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)}
	return []wording{
		{name: "Connections"},
		{name: "untrusted certificate", err: broken(app, untrusted(x509.UnknownAuthorityError{}))},
		{name: "certificate for another name", err: broken(app, untrusted(x509.HostnameError{Certificate: certificate, Host: "ghcr.io"}))},
		{name: "certificate out of date", err: broken(app, untrusted(x509.CertificateInvalidError{Cert: certificate, Reason: x509.Expired, Detail: "current time 2026-02-01T00:00:00Z is after 2026-01-31T00:00:00Z"}))},
		{name: "http where https was expected", err: broken("registry.lan:5000/app:v1", http.ErrSchemeMismatch)},
		{name: "neither of the two", err: broken("registry.lan:5000/app:v1", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"})},
		{name: "https where http was expected", err: &registry.Error{Op: "resolve", Reference: "localhost:5000/app:v1",
			Err: &errcode.ErrorResponse{URL: &url.URL{Scheme: "http", Host: "localhost:5000"}, StatusCode: 400}}},
		{name: "connection refused", err: broken("localhost:5000/app:v1", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})},
		{name: "no such host", err: broken("ghrc.io/acme/app:v1", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "ghrc.io", IsNotFound: true}})},
		{name: "no name server", err: broken(app, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "dial udp 10.0.0.53:53: connect: network is unreachable", Name: "ghcr.io", IsTemporary: true}})},
		{name: "no network", err: broken(app, &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(140, 82, 121, 34), Port: 443}, Err: os.NewSyscallError("connect", syscall.ENETUNREACH)})},
		{name: "a client certificate is wanted", err: broken(app, alert(116))},
		{name: "a client certificate is wanted, TLS 1.2", err: broken(app, alert(40))},
		{name: "a client certificate is refused", err: broken(app, alert(48))},
		{name: "the proxy is not there", err: broken(app, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 3128}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}})},
		{name: "the proxy wants a login", err: broken(app, proxied(407, "the proxy 10.0.0.1:3128 answered 407 proxy authentication required"))},
		{name: "the proxy refuses", err: broken(app, proxied(403, "the proxy 10.0.0.1:3128 answered 403 forbidden"))},
		{name: "the proxy cannot reach it", err: broken(app, proxied(502, "the proxy 10.0.0.1:3128 answered 502 bad gateway"))},
		{name: "the network wants a login", err: broken(app, proxied(511, "the proxy 10.0.0.1:3128 answered 511 network authentication required"))},
		{name: "a web page", err: broken(app, &transport.ProxyError{URL: &url.URL{Scheme: "https", Host: "ghcr.io"}, Status: 200, Err: errors.New("ghcr.io answered with a web page")})},
		{name: "given up", err: &registry.Error{Op: "resolve", Reference: app, Err: &transport.DownError{Registry: "ghcr.io", Err: errors.New("503 service unavailable")}}},
		{name: "stalled", err: &registry.Error{Op: "fetch", Reference: "ghcr.io/acme/app@" + sum, Err: transport.ErrStalled}},

		{name: "no referrers API where one is promised", err: &registry.Error{Op: "list referrers", Reference: "registry.corp.example/acme/app@" + sum,
			Err: &registry.NoReferrersAPIError{Registry: "registry.corp.example", Err: refusal("", "registry.corp.example/acme/app", 404).Err}}},
		{name: "an invalid list of tags", err: &registry.Error{Op: "list tags", Reference: "ghcr.io/acme/app",
			Err: &registry.DocumentError{Wanted: "a list of tags", Err: errors.New(`missing key "tags"`)}}},
	}
}

// registryWordings are about answers of registries.
func registryWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	digests := &oci.MismatchError{Descriptor: ocispec.Descriptor{Digest: sum, Size: 12}, Size: 12, Digest: digest.FromString("something else")}
	return []wording{
		{name: "Content of registries"},
		{name: "no such tag, of few", err: noTag(false, false, "v1.0", "v1.1")},
		{name: "no such tag, of many", err: noTag(false, false, "v1.0", "v1.1", "v1.2", "v1.29", "v1.30", "v1.31", "v1.31.1", "v2.0", "latest")},
		{name: "no such tag, of more than a page", err: noTag(true, false, "v1.0", "v1.1", "v1.2", "v1.30", "v1.31", "v1.31.1", "latest")},
		{name: "no such tag, and no others", err: noTag(false, false)},
		{name: "no such tag, and no list", err: refusal("resolve", app, 404, "MANIFEST_UNKNOWN", "manifest unknown")},
		{name: "no such repository, for a tag", err: noTag(false, true)},
		{name: "no such repository", err: refusal("list tags", "registry.corp.example/acme/ap", 404, "NAME_UNKNOWN", "repository name not known to registry")},
		{name: "no such digest", err: refusal("resolve", "ghcr.io/acme/app@"+sum, 404, "MANIFEST_UNKNOWN", "manifest unknown")},
		{name: "no such platform", err: &engine.PlatformError{Reference: app, Wanted: []config.Platform{{OS: "linux", Architecture: "s390x"}},
			Have: []string{"linux/amd64", "linux/arm64"}}},
		{name: "nothing selected", err: &engine.SelectionError{Reference: "ghcr.io/acme/app", Of: 3, Noun: "tags", Names: []string{"v1", "v2", "v3"}}},
		{name: "schema 1", err: &registry.Error{Op: "resolve", Reference: app, Err: registry.ErrSchema1}},
		{name: "wrong bytes", err: &engine.ArtifactError{Reference: "ghcr.io/acme/app@" + sum, Op: "fetch", Err: digests}},
	}
}

// limitWordings are about limits of registries and of this program.
func limitWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	return []wording{
		{name: "Limits"},
		{name: "rate limit, with a pause", err: busy(2*time.Hour + 5*time.Minute)},
		{name: "rate limit, without", err: busy(0)},
		{name: "too long a pause", err: &registry.Error{Op: "resolve", Reference: "docker.io/library/alpine:3.20", Err: &transport.RateLimitError{Registry: "docker.io", RetryAfter: 6 * time.Hour}}},
		{name: "more than memory", err: &store.InputError{Path: "bundle.tgz", Reason: "index.json is too large: needs more than 192 MiB of memory", Err: &bounds.MemoryError{Most: 192 << 20}}, hints: advice.Hints{BufferFlag: true}},
		{name: "more than memory, of one artifact", err: &engine.ArtifactError{Reference: "ghcr.io/acme/app@" + sum, Op: "read", Err: &bounds.MemoryError{Most: 192 << 20}}, hints: advice.Hints{BufferFlag: true}},
		{name: "too many values", err: &engine.ArtifactError{Reference: "ghcr.io/acme/app@" + sum, Op: "read", Err: &bounds.Error{What: "values in one document:", Most: bounds.Values}}},
		{name: "parts too small for the manifests", err: &parts.SizeError{Size: 1 << 20, Head: 2_345_678, Least: 2_400_001}},
		{name: "too many parts", err: &parts.SizeError{Size: 1 << 20, Head: 1000}},
		{name: "parts of a directory", err: &store.OutputError{Path: "mirror/", Err: store.ErrNoParts}},
		{name: "an artifact that was not stated", err: &statement.DifferenceError{Statement: "bundle.json", Name: app, Found: sum}},
		{name: "an artifact that was stated and is missing", err: &statement.DifferenceError{Statement: "bundle.json", Name: app, Stated: sum}},
		{name: "a file that is not the one that was stated", err: &statement.DifferenceError{Statement: "bundle.json", Name: "bundle.tgz", Stated: sum, Found: digest.FromString("something else")}},
		{name: "an artifact that others signed than was stated", err: &statement.SignersError{Statement: "bundle.json", Reference: app, Stated: []string{"cosign key SHA256:1f"}}},
		{name: "another lock than was stated", err: &statement.DifferenceError{Statement: "bundle.json", Name: "mirror.lock.yaml", Stated: sum, Found: digest.FromString("something else"), IsLock: true}},
		{name: "a truncated statement", err: &statement.FormatError{Path: "bundle.json", Err: io.ErrUnexpectedEOF}},
		{name: "a statement with a key that is not known", err: &statement.FormatError{Path: "bundle.json", Err: fmt.Errorf("predicate: %w", &statement.KeyError{Key: "builder"})}},
		{name: "a statement about something else", err: &statement.FormatError{Path: "provenance.json", Err: &statement.TypeError{Key: "predicateType", Got: "https://slsa.dev/provenance/v1", Want: statement.PredicateType}}},
		{name: "a part is missing", err: &store.MissingPartError{Path: "bundle.003.tgz", Part: 3, Parts: 5}},
		{name: "a part of a pipe is missing", err: &store.MissingPartError{Part: 3, Parts: 5}},
		{name: "a part cannot be read", err: &store.MissingPartError{Path: "bundle.003.tgz", Part: 3, Parts: 5, Err: &store.InputError{Path: "bundle.003.tgz", Reason: "truncated or damaged at byte 7: the file ends here"}}},
		{name: "a part of another bundle", err: &store.ForeignPartError{Path: "bundle.006.tgz", Of: "bundle.001.tgz", Part: 6, Parts: 6}},
		{name: "a part that contradicts another", err: &store.ContradictionError{Path: "bundle.003.tgz", Other: "bundle.001.tgz", Reason: "it has another index.json"}},
		{name: "a blob in a missing part", err: &store.LackingPartsError{Numbers: []int{2, 3, 4}, Parts: 5}},
		{name: "an artifact in a missing part", err: &engine.CorruptError{Err: &store.LackingPartsError{Numbers: []int{3}, Parts: 5}}},
		{name: "disk too small", err: &engine.SpaceError{Need: 12 << 30, Free: 5 << 30}},
		{name: "disk full", err: &store.OutputError{Path: "bundle.tgz", Err: &fs.PathError{Op: "write", Path: "bundle.tgz.partial", Err: syscall.ENOSPC}}, hints: advice.Hints{MissingSpace: 3 << 29}},
		{name: "disk full, size unknown", err: &store.OutputError{Path: "bundle.tgz", Err: &fs.PathError{Op: "write", Path: "bundle.tgz.partial", Err: syscall.ENOSPC}}},
	}
}

// pushWordings are about restores.
func pushWordings() []wording {
	const app = "ghcr.io/acme/app:v1"
	const mirrored = "registry.corp.example/mirror/acme/app:v1"
	return []wording{
		{name: "Pushes"},
		{name: "sparse index", err: &engine.SparseError{Reference: mirrored, Err: refusal("push", mirrored, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")}, target: mirrored},
		{name: "immutable tag, ECR", err: refusal("push", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app:v1", 400, "TAG_INVALID",
			"The image tag 'v1' already exists in the 'acme/app' repository and cannot be overwritten because the tag is immutable."), target: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app:v1"},
		{name: "immutable tag, Harbor", err: refusal("push", mirrored, 412, "PRECONDITION", "Failed to process request due to 'acme/app:v1' configured as immutable."), target: mirrored},
		{name: "locked tag, ACR; a proxy cache", err: refusal("push", "acme.azurecr.io/app:v1", 405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image."), target: "acme.azurecr.io/app:v1"},
		{name: "a pull-through cache", err: refusal("push", "registry.corp.example/mirror/acme/app@"+sum, 405, "UNSUPPORTED", "The operation is unsupported."), target: mirrored},
		{name: "no repository, ECR", err: refusal("push", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app@"+sum, 404, "NAME_UNKNOWN",
			"The repository with name 'acme/app' does not exist in the registry with id '123456789012'"), target: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/app:v1"},
		{name: "no project, Harbor", err: refusal("push", mirrored, 404, "NOT_FOUND", "project mirror not found"), target: mirrored},
		{name: "too deep for Docker Hub", err: refusal("push", "docker.io/me/acme/app:v1", 401, "UNAUTHORIZED", "authentication required"), target: "docker.io/me/acme/app:v1"},
		{name: "too deep for another", err: refusal("push", mirrored, 400, "NAME_INVALID", "invalid repository name"), target: mirrored},
		{name: "referrers that are not listed", err: &registry.Error{Op: "list referrers", Reference: "registry.corp.example/mirror/acme/app@" + sum,
			Err: &registry.UnlistedError{Subject: sum, Referrers: []digest.Digest{digest.FromString("signature"), digest.FromString("sbom")}}}, target: mirrored},
		{name: "two inputs with other artifacts under a name", err: &store.ClashError{Name: app, Digests: [2]digest.Digest{sum, digest.FromString("another")}, Inputs: [2]string{"monday.tgz", "tuesday.tgz"}}},
		{name: "two inputs with other artifacts and a delta missing between them", err: &store.ClashError{Name: app, Digests: [2]digest.Digest{sum, digest.FromString("another")}, Inputs: [2]string{"monday.tgz", "wednesday.tgz"},
			Gaps: []*store.OrphanError{{Delta: "wednesday.tgz", Base: "tuesday.tgz"}}}},
		{name: "a delta without its base", err: &store.OrphanError{Delta: "delta.tgz", Base: "base.tgz"}},
		{name: "a merge into a directory with other artifacts", err: &merge.OccupiedError{Path: "./mirror/", Name: app}},
		{name: "not a base of the pipe", err: &store.NoBaseError{Path: "other.tgz"}},
		{name: "the tag exists", err: &engine.ExistsError{Reference: mirrored, Digest: sum}, target: mirrored},
		{name: "unsigned", err: unaccepted(&engine.UnsignedError{})},
		{name: "unsigned, as far as the registry answers", err: unaccepted(&engine.UnseenError{Refusal: &engine.UnsignedError{},
			Missing: refusal("list referrers", app, 500, "UNKNOWN", "internal server error")})},
		{name: "a policy that accepts nothing", err: unaccepted(&engine.DeniedError{Repository: "ghcr.io/acme/app"})},
		{name: "signed by another key", err: unaccepted(refused(trust.ErrOtherKey))},
		{name: "signed by another identity", err: unaccepted(refused(&trust.IdentityError{Issuer: "https://token.actions.githubusercontent.com",
			Subject: "https://github.com/acme-evil/app/.github/workflows/release.yml@refs/heads/main"}))},
		{name: "signatures of another artifact, and an attestation", err: unaccepted(refused(&trust.SubjectError{Signed: []string{sum}},
			&trust.AttestationError{Predicate: "https://slsa.dev/provenance/v1"}))},
		{name: "a log that the trusted root does not have", err: unaccepted(refused(&trust.TimeError{Err: errors.New("the trusted root does not have its log")}))},
		{name: "a signature with the name of the origin", err: unaccepted(refused(&trust.RepositoryError{Named: "registry.acme.example/app"}))},
		{name: "an attestation alone", err: unaccepted(refused(&trust.AttestationError{Predicate: "https://slsa.dev/provenance/v1"}))},
		{name: "a key of a policy in another format", err: &trust.PolicyError{Index: 0, Key: "cosign.keys[0]",
			Err: &trust.KeyError{Path: "keys/acme.der", Err: errors.New("not a public key in PEM")}}},
		{name: "a policy with capitals", err: &trust.PolicyError{Index: 1, Key: "match[0]", Err: errors.New(`"GHCR.io/**" has capitals: it would match nothing`)}},
		{name: "a trust policy that needs a network", err: &trust.PolicyError{Index: 2, Key: "notation.trustPolicy",
			Err: &trust.RevocationError{Path: "trustpolicy.json", Statement: "acme"}}},
		{name: "a trust policy that accepts any signer", err: &trust.PolicyError{Index: 2, Key: "notation.trustPolicy",
			Err: &trust.AuthenticityError{Path: "trustpolicy.json", Statement: "acme"}}},
		{name: "two for one place", err: &engine.CollisionError{Target: mirrored, Sources: [2]string{"ghcr.io/acme/app:v1", "quay.io/acme/app:v1"}}},
		{name: "two tags for one", err: &engine.CollisionError{Target: "registry.corp.example/mirror/acme/app:1.0", Sources: [2]string{"ghcr.io/acme/app:1.0", "ghcr.io/acme/app:v1.0"}}},
		{name: "one tag with two digests", err: &engine.CollisionError{Target: app, Sources: [2]string{app, app + "@" + sum}}},
		{name: "a name without a repository", err: &engine.NameError{Entry: "v1", Place: "the target registry.corp.example"}},
		{name: "a tag for many", err: &engine.RetagError{Target: "registry.corp.example/acme/app:v1", Artifacts: 3}},
		{name: "a tag for what has a name", err: &engine.RetagError{Target: "registry.corp.example/acme/app:v1", Artifacts: 1}},
		{name: "no name, in a layout of a spec", err: &engine.NameError{Entry: sum, Place: "the layout ./vendor"}},
		{name: "an invalid name", err: &engine.EntryNameError{Name: "app:v2", Reason: "neither REGISTRY/REPOSITORY:TAG nor a tag"}},
		{name: "a name of two", err: &engine.EntryNameError{Name: "ghcr.io/acme/app:v1", Reason: "two manifests in the layout have this name"}},
		{name: "a name of something else", err: &oci.NameError{Name: "ghcr.io/acme/app@" + sum, Digest: digest.FromString("something else")}},
		{name: "a pattern that matches nothing", err: &engine.OnlyError{Pattern: "ghcr.io/acem/**"}},
		{name: "pushing again failed", target: mirrored, err: &engine.ReadbackError{Reference: mirrored, Differs: []string{"blob " + sum + " is missing"},
			Again: refusal("push", "registry.corp.example/mirror/acme/app@"+sum, 403, "DENIED", "requested access to the resource is denied")}},
		{name: "a mapping that matches nothing", err: &engine.UnmatchedError{Mapping: "ap"}},
		{name: "sent once", err: &registry.Error{Op: "push", Reference: "localhost:5000/app@" + sum, Err: engine.ErrSpent}},
	}
}
