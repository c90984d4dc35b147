//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/internal/identity"
)

// side is one of two tenants with objects of the same names. The name of one is how that of the other begins, so that
// whatever compares names by their beginning is found out.
type side struct {
	// name of the tenant, its namespace and its plan.
	name string
	// mark stands in every object of it.
	mark string
	// uids are those of all its objects.
	uids []string
}

// border is where two tenants meet, in a server of their own.
type border struct {
	*server

	near, far *side
	kinds     []kind
	people    []*person
	// admin is let in by its certificate, anyone by what stands in the request.
	admin, anyone *http.Client

	across, inside, asked atomic.Int64
}

// person is somebody with a token.
type person struct {
	name, token string
	// at is where they are somebody, and beyond where they are nobody.
	at, beyond *side
	rights     map[string]string
	// client has connections of their own: the API ends a connection after each request of somebody anonymous.
	client *http.Client
}

const twoTenants = `apiVersion: dogker.io/v1alpha1
kind: Plan
metadata: {name: %[1]s, annotations: {example.com/mark: %[2]s}}
spec:
  quota: {containers: 20, replicas: 40, secrets: 50}
  priceListName: web
---
apiVersion: dogker.io/v1alpha1
kind: Tenant
metadata: {name: %[1]s, annotations: {example.com/mark: %[2]s}}
spec:
  planName: %[1]s
  displayName: %[2]s
  members:
  - {kind: User, name: owner-of-%[1]s, roles: [owner]}
  - {kind: User, name: developer-of-%[1]s, roles: [developer]}
  - {kind: User, name: viewer-of-%[1]s, roles: [viewer]}
  - {kind: User, name: billing-of-%[1]s, roles: [billing]}
  - {kind: Group, name: team-of-%[1]s, roles: [developer]}
  - {kind: ServiceAccount, name: robot, roles: [developer]}
`

// freePrices are those of both tenants. They pay nothing, so nobody is refused for want of money; and there is a place for their
// snapshots.
const freePrices = `apiVersion: billing.dogker.io/v1alpha1
kind: PriceList
metadata: {name: web}
spec: {prices: {cpu: "0"}}
---
apiVersion: dogker.io/v1alpha1
kind: VolumeSnapshotClass
metadata: {name: web}
spec: {directory: {path: /srv/no-such-directory}}
`

// newBorder makes both tenants, everything in them, and everybody.
func newBorder(t *testing.T) *border {
	t.Helper()
	b := &border{
		server: ownServer(t),
		near:   &side{name: "border", mark: "what-is-near"},
		far:    &side{name: "border-b", mark: "what-is-beyond"},
	}
	b.admin, b.anyone = connect(t, b.config(t)), connect(t, rest.AnonymousClientConfig(b.config(t)))

	k := &kubectl{t: t, server: b.server, namespace: "default", command: []string{"kubectl"}}
	k.do(freePrices, "apply", "-f", "-")
	for _, s := range []*side{b.near, b.far} {
		k.do(fmt.Sprintf(twoTenants, s.name, s.mark), "apply", "-f", "-")
		k.do("", "wait", "--for=jsonpath={.status.namespace}="+s.name, "tenant/"+s.name, "--timeout=30s")
	}
	b.kinds = discover(t, b.server)
	b.fill(t)
	b.invite(t)

	return b
}

// connect is a client that keeps its connections and follows nobody elsewhere.
func connect(t *testing.T, cfg *rest.Config) *http.Client {
	t.Helper()
	known, err := rest.TLSConfigFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: known, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)

	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// fill puts an object of every namespaced kind into both tenants, and makes sure that an administrator sees it: what
// nobody can see would be no test of who cannot.
func (b *border) fill(t *testing.T) {
	t.Helper()
	for _, s := range []*side{b.near, b.far} {
		for _, k := range b.kinds {
			if !k.namespaced || !k.stored() {
				continue
			}
			r := request{method: http.MethodPost, target: k.path(s.name, ""), body: k.object(t, s, k.usual())}
			if k.resource == "statements" { // These are records: not even an administrator makes one.
				r.header = http.Header{"Impersonate-User": {"system:apiserver"}, "Impersonate-Group": {"system:masters"}}
			}
			code, body := b.send(t, b.admin, r)
			if code == http.StatusConflict && k.resource == "billingaccounts" { // Dogker was faster.
				r = request{method: http.MethodPatch, target: k.path(s.name, k.usual()), body: `{"metadata":{"annotations":{"example.com/mark":"` + s.mark + `"}}}`}
				if code, body = b.send(t, b.admin, r); code == http.StatusOK {
					code = http.StatusCreated
				}
			}
			// Events are served by two groups.
			if code != http.StatusCreated && code != http.StatusConflict {
				t.Fatalf("the matrix does not know what a %s needs, which is to be told to it in objects: %d %s", k, code, body)
			}
			if code, body = b.send(t, b.admin, request{target: k.path(s.name, k.usual())}); code != http.StatusOK || !strings.Contains(body, s.mark) {
				t.Fatalf("an administrator does not see %s web of %s: %d %s", k, s.name, code, body)
			}
		}
		s.uids = b.uids(t, s)
	}
}

// uids are those of everything that a tenant has or is.
func (b *border) uids(t *testing.T, s *side) []string {
	t.Helper()
	var uids []string
	for path, o := range b.stored(t) {
		if o.GetUID() != "" && (o.GetNamespace() == s.name || o.GetNamespace() == "" && strings.HasSuffix(path, s.name)) {
			uids = append(uids, string(o.GetUID()))
		}
	}
	if len(uids) < 20 {
		t.Fatalf("only %d objects of %s are known", len(uids), s.name)
	}

	return uids
}

// stored are all objects of all kinds, by their paths.
func (b *border) stored(t *testing.T) map[string]unstructured.Unstructured {
	t.Helper()
	all := map[string]unstructured.Unstructured{}
	for _, k := range b.kinds {
		if !k.stored() {
			continue
		}
		code, body := b.send(t, b.admin, request{target: k.path("", "")})
		var list struct{ Items []map[string]any }
		if err := json.Unmarshal([]byte(body), &list); err != nil || code != http.StatusOK {
			t.Fatalf("list %s: %d %v", k, code, err)
		}
		for _, content := range list.Items {
			o := unstructured.Unstructured{Object: content}
			all[k.path(o.GetNamespace(), o.GetName())] = o
		}
	}

	return all
}

// state is what there is beyond the border and above it, but for what controllers write by themselves.
func (b *border) state(t *testing.T) map[string]unstructured.Unstructured {
	t.Helper()
	all := b.stored(t)
	for path, o := range all {
		if ns := o.GetNamespace(); ns != "" && ns != b.far.name || strings.Contains(path, "/events/") || strings.Contains(path, "/leases/") {
			delete(all, path)
			continue
		}
		o.SetResourceVersion("")
		o.SetManagedFields(nil)
		delete(o.Object, "status")
	}

	return all
}

// request is one request, as it is written.
type request struct {
	method string // GET when empty
	target string // path and query; nothing of it is cleaned or escaped on the way
	body   string
	header http.Header
	token  string
}

func (r request) String() string {
	text := r.method + " " + r.target
	for name, values := range r.header {
		text += fmt.Sprintf(" [%s: %.60s]", name, strings.Join(values, " | "))
	}

	return strings.TrimSpace(text + " " + r.body)
}

// send sends it. Of a watch it reads the first events.
func (b *border) send(t *testing.T, c *http.Client, r request) (int, string) {
	t.Helper()
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+b.listen, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque, req.URL.RawQuery, _ = strings.Cut(r.target, "?")
	if strings.HasPrefix(req.URL.Opaque, "//") {
		req.URL.Opaque = "//" + b.listen + req.URL.Opaque
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for name, values := range r.header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	defer resp.Body.Close()
	if strings.Contains(r.target, "watch") && resp.StatusCode == http.StatusOK {
		events := make([]byte, 64<<10)
		n, _ := resp.Body.Read(events)
		return resp.StatusCode, string(events[:n])
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}

	return resp.StatusCode, string(raw)
}

// as sends a request of somebody, and fails when the answer holds anything of where they are nobody.
func (b *border) as(t *testing.T, p *person, r request) (int, string) {
	t.Helper()
	r.token = p.token
	code, body := b.send(t, p.client, r)
	if secret := p.beyond.in(body); secret != "" {
		t.Errorf("CROSSED: %s sees %q of %s\n%s\n%d %.2000s", p.name, secret, p.beyond.name, r, code, body)
	}

	return code, body
}

// in is what of the tenant stands in a text.
func (s *side) in(text string) string {
	if strings.Contains(text, s.mark) {
		return s.mark
	}
	if i := slices.IndexFunc(s.uids, func(uid string) bool { return strings.Contains(text, uid) }); i >= 0 {
		return s.uids[i]
	}

	return ""
}

// invite makes everybody who is anybody on either side, each with a token of their own, and waits until it is known.
func (b *border) invite(t *testing.T) {
	t.Helper()
	add := func(name, token string, at *side, rights map[string]string) {
		beyond := b.far
		if at == b.far {
			beyond = b.near
		}
		b.people = append(b.people, &person{
			name: name, token: token, at: at, beyond: beyond, rights: rights,
			client: connect(t, rest.AnonymousClientConfig(b.config(t))),
		})
	}
	user := func(role string, at *side, rights map[string]string, groups ...string) {
		name := role + "-of-" + at.name
		add(name, b.user(t, name, groups...), at, rights)
	}

	user("owner", b.near, ownerRights)
	user("developer", b.near, developerRights)
	user("viewer", b.near, viewerRights)
	user("billing", b.near, billingRights)
	user("mate", b.near, developerRights, "team-of-"+b.near.name)
	add("robot", b.account(t, b.near.name, "robot"), b.near, developerRights)
	add("stray-robot", b.account(t, b.near.name, "web"), b.near, nil)
	add("reader", b.tokenFor(t, "reader", `{"scope":"Read"}`), b.near, readerRights)
	add("deployer", b.tokenFor(t, "deployer", `{"scope":"Deploy"}`), b.near, deployerRights)
	add("deployer-of-web", b.tokenFor(t, "deployer-of-web", `{"scope":"Deploy","containers":["web"]}`), b.near, namedDeployerRights)
	add("anonymous", "", b.near, nil)
	user("owner", b.far, ownerRights)
	// What was made for them belongs to the tenants, too.
	b.near.uids, b.far.uids = b.uids(t, b.near), b.uids(t, b.far)

	for _, p := range b.people {
		if len(p.rights) == 0 {
			continue
		}
		await(t, p.name+" is let in", func() bool {
			for _, what := range []request{{target: "/api/v1/namespaces/" + p.at.name}, {target: containersPath(p.at.name) + "/web"}} {
				if code, _ := b.as(t, p, what); code == http.StatusOK {
					return true
				}
			}
			return false
		})
	}
}

// user makes a local user and logs them in.
func (b *border) user(t *testing.T, name string, groups ...string) string {
	t.Helper()
	const path = "/apis/identity.dogker.io/v1alpha1/users"
	raw, err := json.Marshal(map[string]any{
		"apiVersion": "identity.dogker.io/v1alpha1", "kind": "User",
		"metadata": map[string]any{"name": name}, "spec": map[string]any{"groups": groups},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.administrate(t, path, string(raw))
	b.administrate(t, path+"/"+name+"/password", fmt.Sprintf(`{"password":%q}`, janesPassword))
	await(t, name+" is known", func() bool {
		_, body := b.send(t, b.admin, request{target: path + "/" + name})
		return strings.Contains(body, `"reason":"Granted"`)
	})
	var tokens identity.Tokens
	await(t, name+" can log in", func() bool {
		code, body := b.send(t, b.anyone, request{
			method: http.MethodPost, target: identity.PathLogin,
			body: fmt.Sprintf(`{"username":%q,"password":%q}`, name, janesPassword),
		})
		return code == http.StatusOK && json.Unmarshal([]byte(body), &tokens) == nil
	})

	return tokens.AccessToken
}

// account is a token of a service account.
func (b *border) account(t *testing.T, namespace, name string) string {
	t.Helper()
	var issued struct{ Status struct{ Token string } }
	body := b.administrate(t, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+name+"/token",
		`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`)
	if err := json.Unmarshal([]byte(body), &issued); err != nil {
		t.Fatal(err)
	}

	return issued.Status.Token
}

// tokenFor makes a DeployToken on the near side.
func (b *border) tokenFor(t *testing.T, name, spec string) string {
	t.Helper()
	path := "/apis/identity.dogker.io/v1alpha1/namespaces/" + b.near.name + "/deploytokens"
	b.administrate(t, path, fmt.Sprintf(`{"apiVersion":"identity.dogker.io/v1alpha1","kind":"DeployToken","metadata":{"name":%q},"spec":%s}`, name, spec))
	var issued identity.DeployTokenResponse
	if err := json.Unmarshal([]byte(b.administrate(t, path+"/"+name+"/token", "{}")), &issued); err != nil {
		t.Fatal(err)
	}

	return issued.Token
}

// administrate posts something that has to succeed.
func (b *border) administrate(t *testing.T, path, body string) string {
	t.Helper()
	code, answer := b.send(t, b.admin, request{method: http.MethodPost, target: path, body: body})
	if code != http.StatusOK && code != http.StatusCreated {
		t.Fatalf("POST %s: %d %s", path, code, answer)
	}

	return answer
}
