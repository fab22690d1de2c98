// Package bucket speaks the protocol of S3. A [Client] reads and writes the objects of one
// bucket: whole or in part, under a condition, or in the parts of an [Upload].
//
// Each request is tried again where that may help; the requests of a condition are written
// so that a try whose response was lost does no harm. Every object is sent with its sha256,
// which the store compares with what it received. All calls may be concurrent.
package bucket

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
)

// Settings say how a bucket is reached. The zero value asks the variables and files of AWS.
// Credentials come from those alone.
type Settings struct {
	Endpoint   string // a URL; "" means $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL, that of the profile, or AWS
	Region     string // "" means $AWS_REGION, $AWS_DEFAULT_REGION, that of the profile, or the one that AWS names
	PathStyle  bool   // the bucket stands in the path: always so but for AWS and names that it hosts
	CAFile     string // certificates beside those of the system
	Insecure   bool   // certificates are not verified
	Encryption string // "", "AES256", "aws:kms", or "aws:kms:KEY"
}

// Options configure a Client. The zero value works.
type Options struct {
	Settings
	Retry Retry
	// Context ends all requests; nil means never. The methods of a layout have none.
	Context context.Context
	// Secret is called for each secret that the client sends, with the name of its user. It may
	// be nil. Calls may be concurrent.
	Secret func(username, secret string)

	limits limits // of answers; tests have small ones
}

// Client reads and writes the objects of a bucket.
type Client struct {
	core       *minio.Core
	keys       *keyring
	bucket     string
	host       string // of the endpoint
	encryption encrypt.ServerSide
	retry      Retry
	base       context.Context
}

// amazon is the endpoint where no other is named.
const amazon = "https://s3.amazonaws.com"

// New returns a client for a bucket. It sends no request.
func New(name string, o Options) (*Client, error) {
	profile := readProfile()
	endpoint, err := parseEndpoint(cmp.Or(o.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), profile["endpoint_url"], amazon))
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(o.Settings, o.limits)
	if err != nil {
		return nil, err
	}
	encryption, err := parseEncryption(o.Encryption)
	if err != nil {
		return nil, err
	}
	keys := &keyring{Credentials: newCredentials(o.Secret)}
	core, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds:        keys.Credentials,
		Secure:       endpoint.Scheme == "https",
		Transport:    transport,
		Region:       region(cmp.Or(o.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), profile["region"]), endpoint),
		BucketLookup: lookup(o.PathStyle),
		MaxRetries:   1, // ours are the only tries
	})
	if err != nil {
		return nil, err
	}
	return &Client{core: core, keys: keys, bucket: name, host: endpoint.Host, encryption: encryption,
		retry: o.Retry.withDefaults(), base: cmp.Or(o.Context, context.Background())}, nil
}

// Context returns the context of calls that have none.
func (c *Client) Context() context.Context { return c.base }

// Once returns a client that sends each request once.
func (c *Client) Once() *Client {
	once := *c
	once.retry.Tries = 1
	return &once
}

// name returns the name of an object as a user writes it.
func (c *Client) name(key string) string { return Location{c.bucket, key}.String() }

// parseEndpoint parses the URL of an endpoint, which has no path.
func parseEndpoint(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, fmt.Errorf("invalid endpoint %q of a bucket (expected https://HOST[:PORT])", redacted(text))
	}
	return u, nil
}

// redacted leaves out what stands before the host of a URL.
func redacted(endpoint string) string {
	scheme, rest, _ := strings.Cut(endpoint, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "***@" + rest[at+1:]
	}
	return scheme + "://" + rest
}

// region returns the region to sign for. Stores beside AWS mostly take any; AWS is asked
// where none is set.
func region(set string, endpoint *url.URL) string {
	if set == "" && !strings.HasSuffix(endpoint.Hostname(), ".amazonaws.com") {
		return "us-east-1"
	}
	return set
}

func lookup(pathStyle bool) minio.BucketLookupType {
	if pathStyle {
		return minio.BucketLookupPath
	}
	return minio.BucketLookupAuto
}

// parseEncryption parses the encryption that the store applies to what is written.
func parseEncryption(text string) (encrypt.ServerSide, error) {
	switch key, isKMS := strings.CutPrefix(text, "aws:kms"); {
	case text == "":
		return nil, nil
	case text == "AES256":
		return encrypt.NewSSE(), nil
	case isKMS && (key == "" || strings.HasPrefix(key, ":")):
		return encrypt.NewSSEKMS(strings.TrimPrefix(key, ":"), nil)
	}
	return nil, fmt.Errorf("invalid server-side encryption %q (expected AES256, aws:kms or aws:kms:KEY)", text)
}
