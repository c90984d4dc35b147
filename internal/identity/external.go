package identity

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
)

// x509Credential begins the ID of a credential that is a client certificate. No issuer of tokens can claim it: Kubernetes
// refuses to map their claims to keys of its own.
const x509Credential = "X509SHA256="

// reservedPrefixes begin the names that Kubernetes and Dogker give.
var reservedPrefixes = []string{"system:", "dogker:"}

// RefuseForeignNames keeps those for whom other issuers vouch (OIDC) from being somebody else: a name that a User could
// have would be that User wherever RBAC names it, now or after the next registration, and names and groups with a reserved
// prefix belong to the cluster itself. Kubernetes leaves that to the care of whoever writes the configuration.
//
// ownIssuers are the issuers of service-account tokens, which are the cluster itself.
func RefuseForeignNames(next authenticator.Request, ownIssuers []string) authenticator.Request {
	return authenticator.RequestFunc(func(r *http.Request) (*authenticator.Response, bool, error) {
		// A request that is authenticated has its token removed.
		tokens := bearerTokens(r)
		resp, ok, err := next.AuthenticateRequest(r)
		if err != nil || !ok || !isForeign(tokens, resp.User, ownIssuers) {
			return resp, ok, err
		}
		if err := checkForeign(resp.User); err != nil {
			return nil, false, err
		}

		return resp, true, nil
	})
}

// isForeign says whether it may have been another issuer's token that told who it is.
func isForeign(tokens []string, who user.Info, ownIssuers []string) bool {
	for _, id := range who.GetExtra()[credentialID] {
		if strings.HasPrefix(id, x509Credential) {
			return false
		}
	}

	return slices.ContainsFunc(tokens, func(text string) bool {
		issuer, isJWT := issuerOf(text)
		return isJWT && !slices.Contains(ownIssuers, issuer)
	})
}

// issuerOf is the issuer that a token names. The token by which this process speaks to itself is no JWT; no other token of
// that kind is accepted from anybody.
func issuerOf(text string) (issuer string, isJWT bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return "", false
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return "", true
	}

	return claims.Issuer, true
}

// checkForeign says why somebody for whom another issuer vouches cannot be let in under that name.
func checkForeign(who user.Info) error {
	name := who.GetName()
	if isUserName(name) {
		return fmt.Errorf("the token's user name %q could be that of a User: give the issuer's names a prefix that ends with a colon, in claimMappings.username", name)
	}
	if p, found := reservedPrefix(name); found {
		return fmt.Errorf("the token's user name %q must not begin with %s", name, p)
	}
	for _, g := range who.GetGroups() {
		if p, found := reservedPrefix(g); found && g != user.AllAuthenticated {
			return fmt.Errorf("the token's group %q must not begin with %s", g, p)
		}
	}

	return nil
}

func reservedPrefix(name string) (string, bool) {
	for _, p := range reservedPrefixes {
		if strings.HasPrefix(name, p) {
			return p, true
		}
	}

	return "", false
}
