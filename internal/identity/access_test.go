package identity

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

// jwt is a token that says who has issued it. Nothing here verifies it.
func jwt(issuer string) string {
	enc := base64.RawURLEncoding.EncodeToString

	return enc([]byte(`{"alg":"none"}`)) + "." + enc(fmt.Appendf(nil, `{"iss":%q}`, issuer)) + ".c2ln"
}

func TestForeignNames(t *testing.T) {
	const own, foreign = "https://cluster", "https://idp.example"
	for claim, tc := range map[string]struct {
		reason string
		token  string
		name   string
		groups []string
		extra  map[string][]string
		want   bool
	}{
		"Prefixed":            {"The issuer's names have a prefix.", jwt(foreign), "oidc:jane", []string{"oidc:dev", user.AllAuthenticated}, nil, true},
		"Address":             {"An address cannot be the name of a User.", jwt(foreign), "jane@example.com", nil, nil, true},
		"IssuerAndSubject":    {"What Kubernetes makes of a subject by default.", jwt(foreign), "https://idp.example#1234", nil, nil, true},
		"NameOfAUser":         {"It would be that User wherever RBAC names it.", jwt(foreign), "jane", nil, nil, false},
		"ReservedName":        {"Kubernetes' own names are not for issuers.", jwt(foreign), "system:apiserver", nil, nil, false},
		"ServiceAccountName":  {"A service account neither.", jwt(foreign), "system:serviceaccount:acme:ci", nil, nil, false},
		"DeployTokenName":     {"Nor a deploy token.", jwt(foreign), "dogker:deploy-token:acme:ci", nil, nil, false},
		"Masters":             {"This group may do anything.", jwt(foreign), "oidc:jane", []string{"system:masters"}, nil, false},
		"OurGroup":            {"This one stands for a scope.", jwt(foreign), "oidc:jane", []string{"dogker:deploy-tokens"}, nil, false},
		"UnreadableToken":     {"What cannot be read is not trusted to be our own.", "a.b.c", "system:node:x", nil, nil, false},
		"ServiceAccount":      {"The cluster's own issuer may.", jwt(own), "system:serviceaccount:acme:ci", []string{"system:serviceaccounts"}, nil, true},
		"Loopback":            {"This process is no issuer.", "0b6b1b6e-2a1c-4e7e-9d4d-000000000000", "system:apiserver", []string{"system:masters"}, nil, true},
		"CertificateBesideIt": {"A certificate counts before a token.", jwt(foreign), "dogker:admin", []string{"system:masters"}, map[string][]string{credentialID: {"X509SHA256=ab"}}, true},
		"NoToken":             {"Only a certificate.", "", "jane", nil, nil, true},
	} {
		t.Run(claim, func(t *testing.T) {
			next := authenticator.RequestFunc(func(*http.Request) (*authenticator.Response, bool, error) {
				return &authenticator.Response{User: &user.DefaultInfo{Name: tc.name, Groups: tc.groups, Extra: tc.extra}}, true, nil
			})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if tc.token != "" {
				r.Header.Set("Authorization", "Bearer "+tc.token)
			}
			_, ok, err := RefuseForeignNames(next, []string{own}).AuthenticateRequest(r)
			if ok != tc.want || ok != (err == nil) {
				t.Errorf("let in: %v, %v; want %v: %s", ok, err, tc.want, tc.reason)
			}
		})
	}
}

// TestForeignTokenBesideAnother: a token in the header of a web socket counts, whatever stands in the usual place.
func TestForeignTokenBesideAnother(t *testing.T) {
	next := authenticator.RequestFunc(func(*http.Request) (*authenticator.Response, bool, error) {
		return &authenticator.Response{User: &user.DefaultInfo{Name: "jane"}}, true, nil
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer nothing")
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io."+base64.RawURLEncoding.EncodeToString([]byte(jwt("https://idp.example")))+", v4.channel.k8s.io")
	if _, ok, _ := RefuseForeignNames(next, nil).AuthenticateRequest(r); ok {
		t.Error("a foreign token was not seen")
	}
	if got := bearerTokens(r); len(got) != 2 {
		t.Errorf("the request has the tokens %q", got)
	}
}

// TestOurTokensAreOurs: nobody else is asked about a token of ours, good or bad, and others' pass by.
func TestOurTokensAreOurs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := startServer(t, newMemory(), newCrowd())
		register(t, s, "jane")
		tokens := logIn(t, s, "jane")
		asked := 0
		auth := NewAuthenticator(s).Requests(authenticator.RequestFunc(func(*http.Request) (*authenticator.Response, bool, error) {
			asked++
			return nil, false, nil
		}))
		try := func(token string) (*authenticator.Response, bool) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			resp, ok, _ := auth.AuthenticateRequest(r)
			return resp, ok
		}

		resp, ok := try(tokens.AccessToken)
		if !ok || resp.User.GetName() != "jane" || resp.User.GetUID() == "" {
			t.Fatalf("got %v", resp)
		}
		if got := resp.User.GetGroups(); len(got) != 2 || got[0] != v1alpha1.GroupUsers || got[1] != user.AllAuthenticated {
			t.Errorf("the groups are %v", got)
		}
		for _, bad := range []string{"dogkera_x", "dogkerz_a_b", tokens.RefreshToken, tokens.AccessToken + "x"} {
			if _, ok := try(bad); ok {
				t.Errorf("%q is let in", bad)
			}
		}
		if asked != 0 {
			t.Errorf("others were asked %d times", asked)
		}
		try(jwt("https://cluster"))
		if asked != 1 {
			t.Error("others are not asked about a token that is not ours")
		}
	})
}

func TestScopes(t *testing.T) {
	people := newCrowd()
	people.addToken("acme", "all", v1alpha1.DeployTokenSpec{Scope: v1alpha1.ScopeDeploy})
	people.addToken("acme", "web", v1alpha1.DeployTokenSpec{Scope: v1alpha1.ScopeDeploy, Containers: []v1alpha1.ContainerName{"web"}})
	people.addToken("acme", "read", v1alpha1.DeployTokenSpec{Scope: v1alpha1.ScopeRead})
	scopes := NewScopes(people)

	for _, tc := range []struct {
		token, verb, resource, name, namespace string
		want                                   bool
	}{
		{"all", "create", "tenantcontainers", "", "acme", true},
		{"all", "patch", "tenantcontainers", "db", "acme", true},
		{"all", "list", "events", "", "acme", true},
		{"all", "delete", "tenantcontainers", "web", "acme", false},
		{"all", "get", "secrets", "web", "acme", false},
		{"all", "create", "deploytokens", "", "acme", false},
		{"all", "create", "deploytokens/token", "read", "acme", false},
		{"all", "create", "rolebindings", "", "acme", false},
		{"all", "update", "tenantcontainers/status", "web", "acme", false},
		{"all", "get", "tenantcontainers", "web", "other", false},
		{"all", "list", "tenantcontainers", "", "", false},
		{"web", "patch", "tenantcontainers", "web", "acme", true},
		{"web", "update", "tenantcontainers/scale", "web", "acme", true},
		{"web", "get", "tenantcontainers", "web", "acme", true},
		{"web", "get", "tenantcontainers", "db", "acme", false},
		{"web", "patch", "tenantcontainers", "db", "acme", false},
		{"web", "list", "tenantcontainers", "", "acme", false},
		{"web", "create", "tenantcontainers", "", "acme", false},
		{"web", "list", "events", "", "acme", false},
		{"read", "list", "tenantcontainers", "", "acme", true},
		{"read", "get", "containerrevisions", "web-1", "acme", true},
		{"read", "patch", "tenantcontainers", "web", "acme", false},
		{"read", "update", "tenantcontainers/scale", "web", "acme", false},
		{"gone", "get", "tenantcontainers", "web", "acme", false},
	} {
		resource, sub, _ := strings.Cut(tc.resource, "/")
		group := map[string]string{"events": "", "secrets": "", "deploytokens": v1alpha1.GroupVersion.Group, "rolebindings": "rbac.authorization.k8s.io"}
		apiGroup, other := group[resource]
		if !other {
			apiGroup = dogkerGroup
		}
		attributes := authorizer.AttributesRecord{
			User: &user.DefaultInfo{Name: v1alpha1.DeployTokenPrefix + "acme:" + tc.token, Groups: []string{v1alpha1.GroupDeployTokens}},
			Verb: tc.verb, APIGroup: apiGroup, Resource: resource, Subresource: sub, Name: tc.name, Namespace: tc.namespace, ResourceRequest: true,
		}
		got, _, err := scopes.Authorize(context.Background(), attributes)
		if err != nil || (got == authorizer.DecisionAllow) != tc.want {
			t.Errorf("%s may %s %s %q in %q: %v, %v; want %v", tc.token, tc.verb, tc.resource, tc.name, tc.namespace, got, err, tc.want)
		}
	}

	for claim, info := range map[string]user.Info{
		"WithoutTheGroup": &user.DefaultInfo{Name: v1alpha1.DeployTokenPrefix + "acme:all"},
		"AnotherUser":     &user.DefaultInfo{Name: "jane", Groups: []string{v1alpha1.GroupDeployTokens}},
	} {
		if rules, _, _, _ := scopes.RulesFor(context.Background(), info, "acme"); len(rules) != 0 {
			t.Errorf("%s has %d rules", claim, len(rules))
		}
	}
}
