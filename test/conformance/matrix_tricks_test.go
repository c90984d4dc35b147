//go:build conformance

package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// tricky are the kinds that tricks are played with: those whose content matters most, of Kubernetes and of ours.
var tricky = []string{"/api/v1 secrets", "/api/v1 configmaps", "/apis/dogker.io/v1alpha1 tenantcontainers", "/apis/identity.dogker.io/v1alpha1 deploytokens"}

// detours are ways to get at what is FAR that a server could take for another one, or for one that is NEAR. ROOT is that of
// the group, KIND the resource.
var detours = []string{
	// Selectors, and namespaces beside the one in the path.
	"ROOT/KIND?fieldSelector=metadata.namespace=FAR",
	"ROOT/KIND?fieldSelector=metadata.namespace%3DFAR,metadata.name%3Dweb",
	"ROOT/KIND?fieldSelector=metadata.name=web",
	"ROOT/KIND?labelSelector=app=web",
	"ROOT/KIND?labelSelector=app+in+(web)&namespace=FAR",
	"ROOT/KIND?namespace=NEAR",
	"ROOT/KIND/web?namespace=FAR",
	"ROOT/namespaces/NEAR/KIND?fieldSelector=metadata.namespace=FAR",
	"ROOT/namespaces/NEAR/KIND?namespace=FAR",
	"ROOT/namespaces/NEAR/KIND/web?namespace=FAR",
	"ROOT/namespaces/FAR/KIND?fieldSelector=metadata.name=web",
	"ROOT/namespaces/FAR/KIND?labelSelector=app=web",
	"ROOT/namespaces/FAR/KIND?labelSelector=!nothing&limit=1",
	"ROOT/namespaces/FAR/KIND/web?pretty=1",
	// Watches.
	"ROOT/namespaces/FAR/KIND?watch=1&timeoutSeconds=1",
	"ROOT/namespaces/FAR/KIND?watch=true&resourceVersion=0&timeoutSeconds=1",
	"ROOT/namespaces/FAR/KIND?watch=1&resourceVersion=1&timeoutSeconds=1",
	"ROOT/namespaces/FAR/KIND?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1&timeoutSeconds=1",
	"ROOT/KIND?watch=1&fieldSelector=metadata.namespace=FAR&timeoutSeconds=1",
	"ROOT/KIND?watch=1&limit=abc&timeoutSeconds=1",
	"ROOT/namespaces/FAR/KIND/web?watch=1&timeoutSeconds=1",
	"ROOT/watch/KIND?timeoutSeconds=1",
	"ROOT/watch/namespaces/FAR/KIND?timeoutSeconds=1",
	"ROOT/watch/namespaces/FAR/KIND/web?timeoutSeconds=1",
	"ROOT/watch/namespaces/NEAR/../FAR/KIND/web?timeoutSeconds=1",
	// Old versions.
	"ROOT/namespaces/FAR/KIND?resourceVersion=0",
	"ROOT/namespaces/FAR/KIND?resourceVersion=1&resourceVersionMatch=Exact",
	"ROOT/namespaces/FAR/KIND/web?resourceVersion=1",
	// Dots, slashes, escapes.
	"ROOT/namespaces/NEAR/../FAR/KIND/web",
	"ROOT/namespaces/NEAR/%2e%2e/FAR/KIND/web",
	"ROOT/namespaces/NEAR%2f..%2fFAR/KIND/web",
	"ROOT/namespaces/NEAR%2F%2E%2E%2FFAR/KIND",
	"ROOT/namespaces/NEAR/KIND/../../FAR/KIND/web",
	"ROOT/namespaces/NEAR/KIND/..%2f..%2fFAR%2fKIND%2fweb",
	"ROOT/namespaces/NEAR/KIND/web/../../../FAR/KIND/web",
	"ROOT/namespaces/NEAR/KIND/web%2f..%2f..%2f..%2fFAR%2fKIND%2fweb",
	"ROOT/namespaces/NEAR/KIND/.",
	"ROOT/namespaces/NEAR/KIND/..",
	"ROOT/namespaces/NEAR/KIND/web.FAR",
	"ROOT/namespaces/NEAR/KIND/FAR.web",
	"ROOT/namespaces/NEAR/KIND/FAR%2fweb",
	"ROOT/namespaces//FAR/KIND/web",
	"ROOT//namespaces/FAR/KIND/web",
	"ROOT/namespaces/FAR//KIND//web",
	"ROOT/namespaces/FAR/KIND/web/",
	"ROOT/namespaces/FAR/KIND/",
	"//ROOT/namespaces/FAR/KIND/web",
	"/./ROOT/namespaces/FAR/KIND/web",
	"ROOT/namespaces/NEAR-b/KIND/web",
	"ROOT/namespaces/NEAR%2db/KIND/web",
	"ROOT/namespaces/FAR%00/KIND/web",
	"ROOT/namespaces/FAR%20/KIND/web",
	"ROOT/namespaces/FAR;NEAR/KIND/web",
	"ROOT/namespaces/NEAR,FAR/KIND/web",
	"ROOT/namespaces/*/KIND/web",
	"ROOT/namespaces/%2a/KIND",
	"ROOT/namespaces/-/KIND",
	"ROOT/namespaces/_all/KIND",
	"ROOT/Namespaces/FAR/KIND/web",
	"ROOT/namespaces/BORDER-B/KIND/web",
	"ROOT/namespaces/FAR/KIND/web/status",
	"ROOT/namespaces/FAR/KIND/web/finalize",
	"ROOT/namespaces/FAR/KIND/web/proxy/",
	// Paths that everybody may read, and on from there.
	"/openapi/..ROOT/namespaces/FAR/KIND/web",
	"/openapi/v3/../..ROOT/namespaces/FAR/KIND/web",
	"/openapi/%2e%2eROOT/namespaces/FAR/KIND/web",
	"/version/..ROOT/namespaces/FAR/KIND/web",
	"/api/..ROOT/namespaces/FAR/KIND/web",
	"/apis/..ROOT/namespaces/FAR/KIND/web",
	"/healthz/..ROOT/namespaces/FAR/KIND/web",
	"/identity/v1/login/../../..ROOT/namespaces/FAR/KIND/web",
	"/.well-known/openid-configuration/../..ROOT/namespaces/FAR/KIND/web",
	"/APIROOT/namespaces/FAR/KIND/web",
}

// byways do not depend on a kind.
var byways = []string{
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name!=NEAR",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name=NEAR,metadata.name=FAR",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name=FAR,metadata.name=NEAR",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name=NEAR&fieldSelector=metadata.name=FAR",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name=FAR&fieldSelector=metadata.name=NEAR",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name==FAR&watch=1&timeoutSeconds=1",
	"/apis/dogker.io/v1alpha1/tenants?fieldSelector=metadata.name%3D",
	"/apis/dogker.io/v1alpha1/tenants?labelSelector=dogker.io/tenant",
	"/apis/dogker.io/v1alpha1/tenants/NEAR/../FAR",
	"/apis/dogker.io/v1alpha1/tenants/NEAR%2f..%2fFAR",
	"/apis/dogker.io/v1alpha1/namespaces/NEAR/tenants/FAR",
	"/apis/dogker.io/v1alpha1/namespaces/NEAR/plans/FAR",
	"/api/v1/namespaces/NEAR/namespaces/FAR",
	"/api/v1/namespaces/FAR/namespaces/NEAR",
	"/api/v1/watch/namespaces/FAR?timeoutSeconds=1",
	"/api/v1/namespaces?fieldSelector=metadata.name=FAR",
	"/api/v1/namespaces/FAR/status",
	"/api/v1/namespaces/FAR/finalize",
	// What is not served, and what servers have served by mistake.
	"/api/v1/namespaces/FAR/services/web/proxy/",
	"/api/v1/proxy/namespaces/FAR/services/web",
	"/api/v1/namespaces/FAR/pods/web/log",
	"/api/v1/namespaces/FAR/pods/web/exec?command=id",
	"/api/v1/namespaces/FAR/pods/web/attach",
	"/api/v1/namespaces/FAR/pods/web/portforward",
	"/api/v1/nodes/localhost/proxy/logs/",
	"/api/v1/nodes/localhost:2375/proxy/containers/json",
	"/api/v1/componentstatuses",
	"/apis/metrics.k8s.io/v1/namespaces/FAR/pods",
	"/apis/metrics.k8s.io/v1beta1/namespaces/FAR/pods",
	"/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.dogker.io",
	"/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.dogker.io/status",
	"/apis/apps/v1/namespaces/FAR/deployments",
	"/apis/dogker.io/v1/namespaces/FAR/tenantcontainers",
	"/apis/dogker.io/v1alpha1/FAR",
	"/debug/pprof/heap?debug=1",
	"/debug/pprof/cmdline",
	"/logs/audit/audit.log",
	"/logs/..%2f..%2faudit%2faudit.log",
	"/metrics?name[]=apiserver_request_total",
}

// asks are requests that all go for one object across the border, with something in the headers.
func asks(p *person) map[string]http.Header {
	owner := "owner-of-" + p.beyond.name
	return map[string]http.Header{
		"Impersonate-User":     {"Impersonate-User": {owner}},
		"Impersonate-Admin":    {"Impersonate-User": {"dogker:admin"}, "Impersonate-Group": {"system:masters"}},
		"Impersonate-Group":    {"Impersonate-User": {p.name}, "Impersonate-Group": {"team-of-" + p.beyond.name}},
		"Impersonate-Account":  {"Impersonate-User": {"system:serviceaccount:" + p.beyond.name + ":robot"}},
		"Impersonate-Loopback": {"Impersonate-User": {"system:apiserver"}},
		"Impersonate-Extra":    {"Impersonate-User": {owner}, "Impersonate-Extra-Scopes": {"all"}, "Impersonate-Uid": {"1"}},
		"Impersonate-Nobody":   {"Impersonate-Group": {"system:masters"}},
		"FrontProxy":           {"X-Remote-User": {"dogker:admin"}, "X-Remote-Group": {"system:masters"}, "X-Remote-Uid": {"1"}},
		"Forwarded":            {"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-User": {owner}, "Forwarded": {"for=127.0.0.1"}},
		"Method":               {"X-HTTP-Method-Override": {"PATCH"}, "X-Method-Override": {"PATCH"}},
		"Rewritten":            {"X-Original-URL": {"/healthz"}, "X-Rewrite-URL": {"/healthz"}},
		"Table":                {"Accept": {"application/json;as=Table;v=v1;g=meta.k8s.io"}},
		"OnlyMetadata":         {"Accept": {"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}},
		"Protobuf":             {"Accept": {"application/vnd.kubernetes.protobuf"}},
		"TwoTokens":            {"Authorization": {"Bearer " + p.token, "Bearer x"}},
		"Basic":                {"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(owner+":"+janesPassword))}},
	}
}

// tryTricks goes around the front door. Whatever comes back holds nothing of the other tenant, and no trick breaks the
// server.
func (b *border) tryTricks(t *testing.T, p *person) {
	t.Helper()
	names := strings.NewReplacer("NEAR", p.at.name, "FAR", p.beyond.name)
	var tries []request
	for _, what := range tricky {
		root, resource, _ := strings.Cut(what, " ")
		kinds := strings.NewReplacer("/APIROOT", strings.ToUpper(root), "//ROOT", "/"+root, "/./ROOT", "/."+root, "ROOT", root, "KIND", resource)
		for _, d := range detours {
			tries = append(tries, request{target: names.Replace(kinds.Replace(d))})
		}
		object := root + "/namespaces/" + p.beyond.name + "/" + resource + "/web"
		for _, header := range asks(p) {
			tries = append(tries, request{target: object, header: header})
		}
		for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodTrace, "LINK", "get", "PROPFIND"} {
			tries = append(tries, request{method: method, target: object})
		}
		for _, at := range b.bookmarks(t, p.beyond, root+"/namespaces/"+p.beyond.name+"/"+resource) {
			tries = append(tries,
				request{target: root + "/namespaces/" + p.at.name + "/" + resource + "?limit=1&continue=" + at},
				request{target: root + "/" + resource + "?limit=1&continue=" + at},
				request{target: root + "/namespaces/" + p.beyond.name + "/" + resource + "?limit=1&continue=" + at})
		}
	}
	for _, way := range byways {
		tries = append(tries, request{target: names.Replace(way)})
	}

	for _, r := range tries {
		b.across.Add(1)
		if code, body := b.as(t, p, r); code >= http.StatusInternalServerError {
			t.Errorf("%s breaks something: %s\n%d %.500s", p.name, r, code, body)
		}
	}
}

// bookmarks are where to go on in a list of the other tenant: one that an administrator was given, and made-up ones.
func (b *border) bookmarks(t *testing.T, s *side, list string) []string {
	t.Helper()
	var page struct {
		Metadata struct{ Continue, ResourceVersion string }
	}
	if _, body := b.send(t, b.admin, request{target: list + "?limit=1"}); json.Unmarshal([]byte(body), &page) != nil {
		t.Fatalf("no list: %s", body)
	}
	var out []string
	if page.Metadata.Continue != "" {
		out = append(out, page.Metadata.Continue)
	}
	for _, start := range []string{"../" + s.name + "/web\\u0000", "/../" + s.name, s.name + "/web\\u0000", "..\\u0000", "\\u0000"} {
		out = append(out, base64.RawURLEncoding.EncodeToString(
			fmt.Appendf(nil, `{"v":"meta.k8s.io/v1","rv":%s,"start":"%s"}`, page.Metadata.ResourceVersion, start)))
	}

	return out
}
