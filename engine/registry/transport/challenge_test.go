package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func TestParseChallenges(t *testing.T) {
	for header, want := range map[string]string{
		``:                                      ``,
		`Basic realm="x"`:                       `basic{realm=x}`,
		`bEARER Realm="https://t/",SERVICE="s"`: `bearer{realm=https://t/ service=s}`,
		`Bearer realm="https://t/", Basic realm="x"`:             `bearer{realm=https://t/} basic{realm=x}`,
		`Basic realm="x", Bearer realm="https://t/",scope="a,b"`: `basic{realm=x} bearer{realm=https://t/ scope=a,b}`,
		`Negotiate, Basic realm="x"`:                             `negotiate{} basic{realm=x}`,
		`Negotiate YII/x+==, Basic realm="x"`:                    `negotiate{} basic{realm=x}`,
		`NTLM TlRMTVNTUAACAAAA , Bearer realm="https://t/"`:      `ntlm{} bearer{realm=https://t/}`,
		`Bearer realm = "https://t/" , service = "s"`:            `bearer{realm=https://t/ service=s}`,
		`Bearer realm=https://t/token,service=s`:                 `bearer{realm=https://t/token service=s}`,
		`Bearer realm="https://t/" service="s"`:                  `bearer{realm=https://t/ service=s}`,
		`Bearer realm="a \"b\" \\",realm="c"`:                    `bearer{realm=a "b" \}`,
		`, ,Basic realm="x",`:                                    `basic{realm=x}`,
		`Bearer`:                                                 `bearer{}`,
		`Bearer realm=`:                                          `bearer{}`,
		`Bearer realm="",service="s"`:                            `bearer{realm= service=s}`,
		`Bearer service="s", Basic realm="Bearer realm=x"`:       `bearer{service=s} basic{realm=Bearer realm=x}`,
		`Basic realm="x", "what"`:                                `basic{realm=x}`,
		`Basic realm="x`:                                         `basic{}`,
	} {
		var got []string
		for _, c := range parseChallenges(header) {
			var parameters []string
			for _, name := range []string{"realm", "service", "scope"} {
				if value, ok := c.parameters[name]; ok {
					parameters = append(parameters, name+"="+value)
				}
			}
			got = append(got, c.scheme+"{"+strings.Join(parameters, " ")+"}")
		}
		equal(t, header, strings.Join(got, " "), want)
	}
}

// FuzzChallenges: the chosen challenge parses to itself when it is written again.
func FuzzChallenges(f *testing.F) {
	f.Add(`Negotiate YII/x+==, Basic realm="x", bEARER Realm="https://t/" , SERVICE=s,scope="a \"b\""`)
	f.Fuzz(func(t *testing.T, header string) {
		c, ok := strongest(parseChallenges(header))
		if !ok {
			return
		}
		if again, ok := strongest(parseChallenges(c.String())); !ok || again.scheme != c.scheme {
			t.Errorf("%q is %v, and then %v", header, c, again)
		}
	})
}

// TestChallengesInAnyForm: a registry may offer several, in one header or more, and
// write them as it likes.
func TestChallengesInAnyForm(t *testing.T) {
	for name, test := range map[string]struct {
		headers  []string // URL is that of the token service
		password bool     // there is one, and it is shown to the registry itself
	}{
		"two headers":              {[]string{`Basic realm="x"`, `Bearer realm="URL",service="s"`}, false},
		"two headers, token first": {[]string{`Bearer realm="URL",service="s"`, `Basic realm="x"`}, false},
		"two in one":               {[]string{`Basic realm="x", Bearer realm="URL",service="s"`}, false},
		"two in one, token first":  {[]string{`Bearer realm="URL",service="s", Basic realm="x"`}, false},
		"capitals":                 {[]string{`BEARER REALM="URL",Service="s"`}, false},
		"one that we do not know":  {[]string{`Negotiate YII=`, `Digest realm="x", nonce="y"`, `Bearer realm=URL`}, false},
		"a token without a realm":  {[]string{`Bearer service="s", Basic realm="x"`}, true},
		"a password without one":   {[]string{`Basic`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var reg *tokenRegistry
			reg = startTokens(t, func(w http.ResponseWriter, req *http.Request) {
				if user, password, _ := req.BasicAuth(); user == "me" && password == "secret" && test.password {
					giveManifest(w, req, imageManifest)
					return
				}
				for _, header := range test.headers {
					w.Header().Add("Www-Authenticate", strings.Replace(header, "URL", reg.realm, 1))
				}
				giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
			})
			challenge := reg.next
			reg.left[""] = 1 << 30 // the challenge is that of next
			reg.next = func(w http.ResponseWriter, req *http.Request) {
				if strings.HasPrefix(req.Header.Get("Authorization"), "Bearer token") && !test.password {
					giveManifest(w, req, imageManifest)
					return
				}
				challenge(w, req)
			}
			o := newClock().options(t)
			if test.password {
				reg.left["Basic bWU6c2VjcmV0"] = 1 << 30
				o.Settings = func(string) (Settings, error) {
					return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}}, nil
				}
			}
			client := newRegistries(o)
			_, err := open(t, client, reg.host, "test/repo").Resolve(t.Context(), "v1")
			noError(t, err)
			equal(t, "requests", client.Stats()["HEAD manifest"], 2)
			equal(t, "tokens", reg.issued > 0, !test.password)
		})
	}
}

// TestChallengeWithoutARealmIsAnErrorAtOnce with the challenge in its text.
func TestChallengeWithoutARealmIsAnErrorAtOnce(t *testing.T) {
	for _, header := range []string{`Bearer`, `Bearer service="s"`, `Bearer realm="",service="s"`, `Bearer realm="https:///token"`} {
		r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Www-Authenticate", header)
			w.WriteHeader(http.StatusUnauthorized)
		})
		for range 2 {
			_, err := r.Resolve(t.Context(), "v1")
			if !isType[*ChallengeError](err) || !strings.Contains(err.Error(), header) {
				t.Errorf("%s: got %v", header, err)
			}
		}
		equal(t, "requests", fmt.Sprint(r.host.stats.counts()), "map[HEAD manifest:2 challenges:2]")
		equal(t, "pauses", len(c.Sleeps()), 0)
	}
	// A token that is there already needs no service.
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Credential: &auth.Credential{AccessToken: "mine"}}, nil
	}
	host := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") == "Bearer mine" {
			giveManifest(w, req, imageManifest)
			return
		}
		w.Header().Set("Www-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := open(t, newRegistries(o), host, "test/repo").Resolve(t.Context(), "v1")
	noError(t, err)
}
