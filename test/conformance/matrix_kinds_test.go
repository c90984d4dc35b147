//go:build conformance

package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"
)

// kind is a resource that the API serves, or a subresource of one.
type kind struct {
	group, version, resource, sub string
	// api and name are apiVersion and kind of what is sent to it.
	api, name  string
	namespaced bool
	verbs      []string
}

// String names it as kubectl does.
func (k kind) String() string {
	out := k.resource
	if k.group != "" {
		out += "." + k.group
	}
	if k.sub != "" {
		out += "/" + k.sub
	}

	return out
}

// stored is true for kinds of which there are objects.
func (k kind) stored() bool {
	return k.sub == "" && slices.Contains(k.verbs, "list") && slices.Contains(k.verbs, "create")
}

// view is true for kinds that are worked out of what runs, and stored nowhere.
func (k kind) view() bool {
	return k.group == "" && (k.resource == "pods" || k.resource == "nodes") || k.group == "metrics.k8s.io"
}

func (k kind) root() string {
	if k.group == "" {
		return "/api/" + k.version
	}

	return "/apis/" + k.group + "/" + k.version
}

// path of an object, or of all in a namespace, or of all there are.
func (k kind) path(namespace, name string) string {
	path := k.root()
	if k.namespaced && namespace != "" {
		path += "/namespaces/" + namespace
	}
	path += "/" + k.resource
	if name != "" {
		path += "/" + name
	}
	if k.sub != "" {
		path += "/" + k.sub
	}

	return path
}

// unlisted are subresources that discovery does not tell of, because they are served in front of their kinds.
var unlisted = map[string][]string{
	"users.identity.dogker.io":          {"password", "sessions"},
	"deploytokens.identity.dogker.io":   {"token"},
	"billingaccounts.billing.dogker.io": {"ledger"},
}

// discover asks which kinds there are, in every version of them.
func discover(t *testing.T, s *server) []kind {
	t.Helper()
	_, lists, err := discovery.NewDiscoveryClientForConfigOrDie(s.config(t)).ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	var kinds []kind
	for _, list := range lists {
		group, version, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group, version = "", group
		}
		for _, r := range list.APIResources {
			resource, sub, _ := strings.Cut(r.Name, "/")
			k := kind{group: group, version: version, resource: resource, sub: sub, api: list.GroupVersion, name: r.Kind, namespaced: r.Namespaced, verbs: r.Verbs}
			if r.Version != "" {
				k.api = strings.TrimPrefix(r.Group+"/"+r.Version, "/")
			}
			kinds = append(kinds, k)
			for _, more := range unlisted[k.String()] {
				kinds = append(kinds, kind{group: group, version: version, resource: resource, sub: more, namespaced: r.Namespaced})
			}
		}
	}
	if len(kinds) < 40 {
		t.Fatalf("only %d kinds and subresources are known: %v", len(kinds), kinds)
	}

	return kinds
}

// objects are what objects need beside their names. NAMESPACE and MARK stand for those of the tenant.
var objects = map[string]string{
	"configmaps":                                     `{"data": {"it": "MARK"}}`,
	"secrets":                                        `{"stringData": {"it": "MARK"}}`,
	"events":                                         `{"involvedObject": {"namespace": "NAMESPACE", "name": "web"}, "message": "MARK"}`,
	"events.events.k8s.io":                           `{"regarding": {"namespace": "NAMESPACE", "name": "web"}, "note": "MARK", "type": "Normal", "reason": "Made", "action": "Made", "reportingController": "example.com/matrix", "reportingInstance": "one", "eventTime": "2026-01-01T00:00:00.000000Z"}`,
	"resourcequotas":                                 `{"spec": {"hard": {"count/widgets.example.com": "1"}}}`,
	"rolebindings.rbac.authorization.k8s.io":         `{"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"}}`,
	"tenantcontainers.dogker.io":                     `{"spec": {"image": "registry.example/shop:1.4", "env": [{"name": "IT", "value": "MARK"}]}}`,
	"tenantjobs.dogker.io":                           `{"spec": {"suspend": true, "template": {"image": "registry.example/shop:1.4", "env": [{"name": "IT", "value": "MARK"}]}}}`,
	"volumes.dogker.io":                              `{"spec": {"className": "local", "size": "1Gi"}}`,
	"volumesnapshots.dogker.io":                      `{"spec": {"className": "web", "source": {"volumeName": "web"}}}`,
	"volumesnapshotclasses.dogker.io":                `{"spec": {"directory": {"path": "/srv/snapshots"}}}`,
	"volumeclasses.dogker.io":                        `{"spec": {"reclaimPolicy": "Retain"}}`,
	"releasedvolumes.dogker.io":                      `{"spec": {"volumeName": "acme_data_0123456789ab"}}`,
	"containerrevisions.dogker.io":                   `{"spec": {"container": "web", "revision": 1, "templateHash": "x", "template": {"image": "registry.example/shop:1.4"}}}`,
	"deploytokens.identity.dogker.io":                `{"spec": {"scope": "Read"}}`,
	"gitsyncs.gitops.dogker.io":                      `{"spec": {"url": "https://git.example/MARK", "prune": true, "suspend": true}}`,
	"imagepolicies.gitops.dogker.io":                 `{"spec": {"image": "registry.example/shop", "policy": {"semver": {"range": "*"}}, "suspend": true}}`,
	"gitpreviews.gitops.dogker.io":                   `{"spec": {"url": "https://git.example/MARK", "branches": {"include": ["**"]}, "suspend": true}}`,
	"alerts.monitoring.dogker.io":                    `{"spec": {"threshold": {"metric": "cpu", "value": "1"}, "annotations": {"summary": "MARK"}, "suspend": true}}`,
	"receivers.monitoring.dogker.io":                 `{"spec": {"webhook": {"url": "https://hooks.example/MARK"}, "suspend": true}}`,
	"billingaccounts.billing.dogker.io":              `{"spec": {"utcOffsetHours": 7}}`,
	"topups.billing.dogker.io":                       `{"spec": {"amount": "50000"}}`,
	"refunds.billing.dogker.io":                      `{"spec": {"topUpName": "web", "reason": "MARK"}}`,
	"statements.billing.dogker.io":                   `{"spec": {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "currency": "IDR", "opening": "0.000000", "paidIn": "0.000000", "given": "0.000000", "adjusted": "0.000000", "used": "0.000000", "waived": "0.000000", "closing": "0.000000"}}`,
	"pricelists.billing.dogker.io":                   `{"spec": {"prices": {"cpu": "0"}}}`,
	"coupons.billing.dogker.io":                      `{"spec": {"codeSHA256": "1bfddfcfb9e0d5637e7cadb61082a1db7b44aa573f5c6c7e8b17f06db6d84fd2", "amount": "1000", "maxRedemptions": 1}}`,
	"serviceaccounts/token":                          `{"spec": {}}`,
	"selfsubjectaccessreviews.authorization.k8s.io":  `{"spec": {"resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "NAMESPACE"}}}`,
	"selfsubjectrulesreviews.authorization.k8s.io":   `{"spec": {"namespace": "NAMESPACE"}}`,
	"localsubjectaccessreviews.authorization.k8s.io": `{"metadata": {"namespace": "NAMESPACE"}, "spec": {"user": "owner-of-NAMESPACE", "resourceAttributes": {"namespace": "NAMESPACE", "verb": "get", "resource": "secrets"}}}`,
	"subjectaccessreviews.authorization.k8s.io":      `{"spec": {"user": "owner-of-NAMESPACE", "resourceAttributes": {"namespace": "NAMESPACE", "verb": "get", "resource": "secrets"}}}`,
	"clusterrolebindings.rbac.authorization.k8s.io":  `{"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}`,
	"users.identity.dogker.io/password":              `{"password": "nine green bottles on a wall"}`,
	"tenantcontainers.dogker.io/scale":               `{"spec": {"replicas": 2}}`,
	"customresourcedefinitions.apiextensions.k8s.io": `{"spec": {}}`,
	"tokenreviews.authentication.k8s.io":             `{"spec": {"token": "x"}}`,
	"flowschemas.flowcontrol.apiserver.k8s.io":       `{"spec": {"priorityLevelConfiguration": {"name": "exempt"}}}`,
}

// usual is what the object of the kind is called that both tenants have.
func (k kind) usual() string {
	if k.group == "billing.dogker.io" && k.resource == "billingaccounts" {
		return "default" // A tenant has one.
	}

	return "web"
}

// object is one of the kind, of one of the tenants.
func (k kind) object(t *testing.T, s *side, name string) string {
	t.Helper()
	content := map[string]any{}
	if text, ok := objects[k.String()]; ok {
		if err := json.Unmarshal([]byte(strings.NewReplacer("NAMESPACE", s.name, "MARK", s.mark).Replace(text)), &content); err != nil {
			t.Fatal(err)
		}
	}
	if k.name == "" { // No object at all.
		return encode(t, content)
	}
	all := map[string]any{"apiVersion": k.api, "kind": k.name}
	if k.stored() {
		metadata := map[string]any{"name": name, "annotations": map[string]string{"example.com/mark": s.mark}, "labels": map[string]string{"app": "web"}}
		if k.namespaced {
			metadata["namespace"] = s.name
		}
		all["metadata"] = metadata
	}
	maps.Copy(all, content)

	return encode(t, all)
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return string(raw)
}
