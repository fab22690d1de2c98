package option

import (
	"fmt"
	"io"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// credentialFlags hold the credentials of one registry. Without them a run uses those of
// "oras login" and "docker login".
type credentialFlags struct {
	prefix string // of the flags of one side of a sync: "from-" or "to-"

	Username           string `short:"u" placeholder:"NAME" help:"Log in with this user name; for a run with only one registry."`
	Password           string `short:"p" placeholder:"PASSWORD" xor:"secret" help:"Log in with this password. Other users of this machine can see it: prefer --password-stdin."`
	PasswordStdin      bool   `xor:"secret" help:"Read the password from standard input."`
	IdentityToken      string `placeholder:"TOKEN" xor:"secret" help:"Log in with this identity token instead of a user name and password."`
	IdentityTokenStdin bool   `xor:"secret" help:"Read the identity token from standard input."`
}

// maxSecret is far longer than any password or token.
const maxSecret = 64 << 10

// Names lists the flags that were given.
func (f *credentialFlags) Names() []string {
	var names []string
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"username", f.Username != ""}, {"password", f.Password != ""}, {"password-stdin", f.PasswordStdin},
		{"identity-token", f.IdentityToken != ""}, {"identity-token-stdin", f.IdentityTokenStdin},
	} {
		if flag.given {
			names = append(names, f.flag(flag.name))
		}
	}
	return names
}

// flag returns the flag as it is typed.
func (f *credentialFlags) flag(name string) string { return "--" + f.prefix + name }

// checkOneRegistry refuses to send the password of one registry to another.
func (f *credentialFlags) checkOneRegistry(hosts []string) error {
	names := f.Names()
	if len(names) == 0 || len(hosts) <= 1 {
		return nil
	}
	return tooMany(names[0], hosts, `log in to each with "oras login REGISTRY"; oras-mirror uses the same credentials`)
}

// tooMany returns the error for a credential of one registry in a run with several.
func tooMany(flag string, hosts []string, hint string) error {
	return exit.Usage(hint, "%s works with only one registry, and this run has %d: %s", flag, len(hosts), strings.Join(hosts, ", "))
}

// ClaimStdin claims standard input if a secret comes from there.
func (f *credentialFlags) ClaimStdin(s *Stdin) error {
	if f.PasswordStdin {
		return s.Claim("--password-stdin")
	}
	if f.IdentityTokenStdin {
		return s.Claim("--identity-token-stdin")
	}
	return nil
}

// credential returns the credential that the flags give, nil without one. As in oras, a
// password without a user name is an identity token.
func (f *credentialFlags) credential(s Session, hosts []string) (*auth.Credential, error) {
	if len(f.Names()) == 0 {
		return nil, nil
	}
	token := f.IdentityToken != "" || f.IdentityTokenStdin
	if token && f.Username != "" {
		return nil, exit.Usage("", "%s cannot be used with an identity token", f.flag("username"))
	}
	secret, err := f.secret(s, hosts)
	if err != nil {
		return nil, err
	}
	s.Secrets.Add(f.Username, secret)
	if token || f.Username == "" {
		return &auth.Credential{RefreshToken: secret}, nil
	}
	return &auth.Credential{Username: f.Username, Password: secret}, nil
}

// secret returns the password or the token of the flags, or asks for it.
func (f *credentialFlags) secret(s Session, hosts []string) (string, error) {
	switch {
	case f.PasswordStdin || f.IdentityTokenStdin:
		return readSecret(s.Stdin)
	case f.Password != "":
		return f.Password, nil
	case f.IdentityToken != "":
		return f.IdentityToken, nil
	case !s.StdinTerminal:
		return "", exit.Usage("pass it on standard input with "+f.flag("password-stdin"), "%s needs a password", f.flag("username"))
	}
	return askPassword(s.AskPassword, f.Username, hosts)
}

// readSecret reads a secret to the end of the input, and drops the line end that echo adds.
func readSecret(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if secret == "" || len(data) > maxSecret {
		return "", exit.Usage("", "invalid password or token on standard input: %d bytes", len(data))
	}
	return secret, nil
}

// askPassword asks for the password on the terminal.
func askPassword(ask func(prompt string) ([]byte, error), username string, hosts []string) (string, error) {
	password, err := ask(fmt.Sprintf("Password of %s at %s: ", username, strings.Join(hosts, ", ")))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if len(password) == 0 {
		return "", exit.Usage("", "the password is empty")
	}
	return string(password), nil
}
