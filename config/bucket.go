package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// BucketSettings say how a bucket is reached, where the variables and files of AWS do not
// say it. Credentials come from those alone.
type BucketSettings struct {
	Bucket               string `yaml:"bucket"`
	Endpoint             string `yaml:"endpoint"` // a URL; "" means that of the environment, or AWS
	Region               string `yaml:"region"`
	PathStyle            bool   `yaml:"pathStyle"` // the name of the bucket stands in the path
	CAFile               string `yaml:"caFile"`
	Insecure             bool   `yaml:"insecure"`             // skips the verification of certificates
	ServerSideEncryption string `yaml:"serverSideEncryption"` // "" means that of the bucket
}

// bucketName matches the names that S3 and its relatives accept.
var bucketName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]$`)

// Check reports the faults of the settings while they are decoded.
func (b *BucketSettings) Check(o strictyaml.Object) {
	if o.Require("bucket") && b.Bucket != "" && !bucketName.MatchString(b.Bucket) {
		suggestion, _, _ := strings.Cut(strings.TrimPrefix(b.Bucket, bucketScheme), "/")
		if !bucketName.MatchString(suggestion) {
			suggestion = ""
		}
		o.Suggest("bucket", fmt.Sprintf("%q is not the name of a bucket", b.Bucket), suggestion)
	}
	if u, err := url.Parse(b.Endpoint); o.Valid("endpoint") && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Trim(u.Path, "/") != "") {
		o.Fault("endpoint", "must be https://HOST[:PORT], without credentials and a path")
	}
	checkVariables(o, "caFile", b.CAFile)
	if e := b.ServerSideEncryption; o.Valid("serverSideEncryption") && e != "AES256" && e != "aws:kms" && !strings.HasPrefix(e, "aws:kms:") {
		o.Fault("serverSideEncryption", "must be AES256, aws:kms or aws:kms:KEY")
	}
}

// checkBuckets reports buckets that are listed twice.
func checkBuckets(o strictyaml.Object, all []BucketSettings) {
	seen := make(map[string]int)
	for i, b := range all {
		if first, ok := seen[b.Bucket]; ok && b.Bucket != "" {
			o.Fault(strictyaml.Element("buckets", i), fmt.Sprintf("%s is already listed in buckets[%d]", b.Bucket, first))
			continue
		}
		seen[b.Bucket] = i
	}
}

// bucketScheme begins a path in a bucket, which is not relative to the folder of the spec.
const bucketScheme = "s3://"

// isInBucket reports whether a path is in a bucket, or was meant to be: s3:/ is one slash
// short.
func isInBucket(path string) bool { return len(path) >= 4 && strings.EqualFold(path[:4], "s3:/") }
