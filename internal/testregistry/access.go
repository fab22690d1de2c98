package testregistry

import (
	"context"
	"net/http"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Access describes how to reach a registry, of this package or any other.
type Access struct {
	Host               string // host[:port]
	PlainHTTP          bool
	Client             *http.Client // nil: http.DefaultClient
	Username, Password string
}

// client returns a client of oras-go, which is not the client under test.
func (a Access) client() *auth.Client {
	client := a.Client
	if client == nil {
		client = http.DefaultClient
	}
	return &auth.Client{
		Client: client,
		Cache:  auth.NewCache(),
		Credential: func(_ context.Context, _ string) (auth.Credential, error) {
			return auth.Credential{Username: a.Username, Password: a.Password}, nil
		},
	}
}

func (a Access) registry(client *auth.Client) (*remote.Registry, error) {
	registry, err := remote.NewRegistry(a.Host)
	if err != nil {
		return nil, err
	}
	registry.Client = client
	registry.PlainHTTP = a.PlainHTTP
	return registry, nil
}

func (a Access) repository(client *auth.Client, name string) (*remote.Repository, error) {
	repository, err := remote.NewRepository(a.Host + "/" + name)
	if err != nil {
		return nil, err
	}
	repository.Client = client
	repository.PlainHTTP = a.PlainHTTP
	repository.SkipReferrersGC = true
	return repository, nil
}
