package bucket

import (
	"net"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// roleTimeout is short: on a machine that is none of AWS's, the address of its roles leads
// nowhere.
const roleTimeout = time.Second

// newCredentials returns the usual chain: the variables of AWS, its files, then the role of
// the machine, the container or the service account. It calls secret for all that it finds.
func newCredentials(secret func(username, secret string)) *credentials.Credentials {
	chain := &credentials.Chain{Providers: []credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
		&credentials.IAM{Client: &http.Client{Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: roleTimeout}).DialContext,
		}, Timeout: dialTimeout}},
	}}
	if secret == nil {
		return credentials.New(chain)
	}
	return credentials.New(&watched{chain, secret})
}

// watched tells of the credentials that a provider finds.
type watched struct {
	credentials.Provider
	secret func(username, secret string)
}

func (w *watched) RetrieveWithCredContext(c *credentials.CredContext) (credentials.Value, error) {
	v, err := w.Provider.RetrieveWithCredContext(c)
	if err == nil {
		for _, part := range []string{v.AccessKeyID, v.SecretAccessKey, v.SessionToken} {
			w.secret(v.AccessKeyID, part)
		}
	}
	return v, err
}
