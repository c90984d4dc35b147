//go:build conformance

package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	authorizationv1 "k8s.io/api/authorization/v1"
)

const (
	// leastAcross is how many calls across the border there have to be, and leastInside how many inside that succeed: a
	// server that refuses everything lets nobody cross, too.
	leastAcross = 1000
	leastInside = 300
)

var allVerbs = strings.Fields(toDoAll)

// TestMatrix: every verb on every kind, of everybody, inside their tenant and across the border of another that has
// objects of the same names. Inside, what their role says is done; everything else is refused and tells nothing. What
// kubectl auth can-i says is what happens.
func TestMatrix(t *testing.T) {
	b := newBorder(t)
	settle(t, b.server)
	before := b.state(t)
	begun := time.Now()

	t.Run("Everybody", func(t *testing.T) {
		for _, p := range b.people {
			t.Run(p.name+" at "+p.at.name, func(t *testing.T) {
				t.Parallel()
				rules := b.rules(t, p)
				for _, k := range b.kinds {
					for _, verb := range allVerbs {
						for _, w := range b.places(k, p) {
							b.try(t, p, k, verb, w, rules)
						}
					}
				}
				b.tryPaths(t, p)
				b.tryTricks(t, p)
				b.tryToRise(t, p)
			})
		}
	})

	across, inside, asked := b.across.Load(), b.inside.Load(), b.asked.Load()
	t.Logf("%d calls across the border of %d people with %d kinds and subresources; %d inside succeeded; can-i was asked %d times; %s in all",
		across, len(b.people), len(b.kinds), inside, asked, time.Since(begun).Round(time.Millisecond))
	if across < leastAcross || inside < leastInside {
		t.Errorf("%d calls across and %d inside, want at least %d and %d", across, inside, leastAcross, leastInside)
	}
	if diff := gocmp.Diff(before, b.state(t)); diff != "" {
		t.Errorf("CROSSED: something beyond the border, or above it, has changed:\n%s", diff)
	}

	t.Run("Watches", b.watches)
	t.Run("TokenSecrets", b.tokenSecrets)
}

// place is where a call goes.
type place struct {
	namespace, name string
	// whole is true for all there are of a kind in a namespace, or everywhere.
	whole bool
	// across is true for what is not of the tenant that the caller is somebody in.
	across bool
}

// places are where somebody calls a kind: their own tenant, the other one, and all of them at once.
func (b *border) places(k kind, p *person) []place {
	var out []place
	for _, s := range []*side{p.at, p.beyond} {
		namespace, name := s.name, k.usual()
		if !k.namespaced {
			namespace, name = "", b.named(k, s)
			if k.resource == "namespaces" && k.group == "" {
				namespace = name
			}
		}
		out = append(out, place{namespace: namespace, name: name, across: s == p.beyond})
		if k.namespaced && k.sub == "" {
			out = append(out, place{namespace: namespace, whole: true, across: s == p.beyond})
		}
	}
	if k.sub == "" {
		out = append(out, place{whole: true, across: true})
	}

	return out
}

// named is the name of the object of a kind above all namespaces that belongs to a tenant.
func (b *border) named(k kind, s *side) string {
	switch k.resource {
	case "tenants", "plans", "namespaces":
		return s.name
	case "clusterroles", "clusterrolebindings":
		return "dogker-tenant:" + s.name
	case "users":
		return "owner-of-" + s.name
	default:
		return k.usual()
	}
}

// try makes one call, if there is one of that verb at that place, and holds what comes of it against the tables, against
// what can-i says and against the rules that the caller is told.
func (b *border) try(t *testing.T, p *person, k kind, verb string, w place, rules []authorizationv1.ResourceRule) {
	t.Helper()
	want := p.may(verb, k, w.namespace, w.name)
	r, ok := b.call(t, p, k, verb, w, want)
	if !ok {
		return
	}

	code, body := b.as(t, p, r)
	switch {
	case want && code/100 == 2:
		b.inside.Add(1)
	case want && k.view() && code != http.StatusForbidden && code != http.StatusUnauthorized:
		// There is no swarm to see here: who may look is told so. What they see in one is tested with one.
	case want:
		t.Errorf("%s may %s %s, and is refused\n%s\n%d %.500s", p.name, verb, k, r, code, body)
	case code != http.StatusForbidden:
		t.Errorf("CROSSED: %s may not %s %s of %q, and gets\n%s\n%d %.500s", p.name, verb, k, w.namespace+"/"+w.name, r, code, body)
	}
	if w.across && !want {
		b.across.Add(1)
	}

	asked := authorizationv1.ResourceAttributes{
		Namespace: w.namespace, Name: w.name, Verb: verb,
		Group: k.group, Version: k.version, Resource: k.resource, Subresource: k.sub,
	}
	if verb == "create" && k.sub == "" {
		asked.Name = ""
	}
	if p.token != "" {
		if got := b.canI(t, p, authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &asked}); got != want {
			t.Errorf("can-i says %v to %s about %+v, and it is %v", got, p.name, asked, want)
		}
	}
	if p.token != "" && k.namespaced && w.namespace == p.at.name {
		if got := slices.ContainsFunc(rules, func(r authorizationv1.ResourceRule) bool { return allows(r, asked) }); got != want {
			t.Errorf("can-i --list says %v to %s about %+v, and it is %v", got, p.name, asked, want)
		}
	}
}

// takes is true when there is such a call: of all there are of a kind, or of one of them.
func (w place) takes(k kind, verb string) bool {
	switch verb {
	case "list", "watch", "deletecollection":
		// One object above namespaces is picked by a selector.
		return k.sub == "" && (w.whole || !k.namespaced)
	case "create":
		return w.whole == (k.sub == "")
	default:
		return !w.whole
	}
}

// call is the request of one verb at one place; false when there is none.
func (b *border) call(t *testing.T, p *person, k kind, verb string, w place, want bool) (request, bool) {
	t.Helper()
	if !w.takes(k, verb) {
		return request{}, false
	}
	r := request{target: k.path(w.namespace, w.name)}
	query := url.Values{}
	if slices.Contains([]string{"list", "watch", "deletecollection"}, verb) && w.name != "" {
		r.target = k.path(w.namespace, "")
		query.Set("fieldSelector", "metadata.name="+w.name)
	}
	switch verb {
	case "watch":
		query.Set("watch", "1")
		query.Set("timeoutSeconds", "1")
	case "create":
		r.method, r.body = http.MethodPost, k.object(t, &side{name: cmp.Or(w.namespace, p.at.name), mark: p.at.mark}, "made-by-matrix")
	case "update":
		r.method, r.body = http.MethodPut, "{}"
		if want {
			_, r.body = b.send(t, b.admin, request{target: r.target})
		}
	case "patch":
		r.method, r.body = http.MethodPatch, `{"metadata":{"annotations":{"example.com/by":"matrix"}}}`
	case "delete", "deletecollection":
		r.method = http.MethodDelete
	}
	// What is done inside is only tried, so that everybody finds the same. What identity serves cannot be tried.
	if want && r.method != "" && k.name != "" {
		query.Set("dryRun", "All")
	}
	if len(query) > 0 {
		r.target += "?" + query.Encode()
	}

	return r, true
}

// canI asks what kubectl auth can-i asks.
func (b *border) canI(t *testing.T, p *person, spec authorizationv1.SelfSubjectAccessReviewSpec) bool {
	t.Helper()
	b.asked.Add(1)
	code, body := b.as(t, p, request{
		method: http.MethodPost, target: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		body: encode(t, map[string]any{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}),
	})
	var review authorizationv1.SelfSubjectAccessReview
	if err := json.Unmarshal([]byte(body), &review); err != nil || code != http.StatusCreated {
		t.Fatalf("can-i: %d %s", code, body)
	}

	return review.Status.Allowed
}

// rules are what kubectl auth can-i --list shows of the own namespace. Of the other one it shows nothing but what
// everybody may everywhere.
func (b *border) rules(t *testing.T, p *person) []authorizationv1.ResourceRule {
	t.Helper()
	if p.token == "" {
		return nil
	}
	ask := func(namespace string) authorizationv1.SubjectRulesReviewStatus {
		code, body := b.as(t, p, request{
			method: http.MethodPost, target: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
			body: fmt.Sprintf(`{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{"namespace":%q}}`, namespace),
		})
		var review authorizationv1.SelfSubjectRulesReview
		if err := json.Unmarshal([]byte(body), &review); err != nil || code != http.StatusCreated || review.Status.Incomplete {
			t.Fatalf("can-i --list: %d %s", code, body)
		}
		return review.Status
	}

	sorted := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	if diff := gocmp.Diff(ask("no-such-namespace"), ask(p.beyond.name), sorted); diff != "" {
		t.Errorf("%s is told something about %s:\n%s", p.name, p.beyond.name, diff)
	}

	return ask(p.at.name).ResourceRules
}

// allows reads a rule as RBAC does.
func allows(r authorizationv1.ResourceRule, a authorizationv1.ResourceAttributes) bool {
	has := func(list []string, want string) bool {
		return slices.Contains(list, want) || slices.Contains(list, "*")
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}

	return has(r.Verbs, a.Verb) && has(r.APIGroups, a.Group) && has(r.Resources, resource) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, a.Name))
}

// tryPaths gets what is no object.
func (b *border) tryPaths(t *testing.T, p *person) {
	t.Helper()
	for path := range paths {
		want := p.mayGet(path)
		code, body := b.as(t, p, request{target: path})
		b.across.Add(1)
		if got := code != http.StatusForbidden; got != want || want && code != http.StatusOK {
			t.Errorf("%s gets %s: %d %.300s; allowed is %v", p.name, path, code, body, want)
		}
		if strings.Contains(body, p.beyond.name) && !strings.Contains(p.at.name, p.beyond.name) {
			t.Errorf("CROSSED: %s learns of %s from %s", p.name, p.beyond.name, path)
		}
		if p.token == "" {
			continue
		}
		attributes := &authorizationv1.NonResourceAttributes{Path: path, Verb: "get"}
		if got := b.canI(t, p, authorizationv1.SelfSubjectAccessReviewSpec{NonResourceAttributes: attributes}); got != want {
			t.Errorf("can-i says %v to %s about %s, and it is %v", got, p.name, path, want)
		}
	}
}
