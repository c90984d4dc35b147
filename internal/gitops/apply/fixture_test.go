package apply

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

var dogkerVersion = schema.GroupVersion{Group: "dogker.io", Version: "v1alpha1"}

// kinds are some that a server of ours has.
func kinds() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	core := schema.GroupVersion{Version: "v1"}
	rbac := schema.GroupVersion{Group: "rbac.authorization.k8s.io", Version: "v1"}

	for _, kind := range []string{"ConfigMap", "Secret", "ServiceAccount", "ResourceQuota"} {
		m.Add(core.WithKind(kind), meta.RESTScopeNamespace)
	}

	m.Add(core.WithKind("Namespace"), meta.RESTScopeRoot)
	m.Add(rbac.WithKind("Role"), meta.RESTScopeNamespace)
	m.Add(rbac.WithKind("ClusterRole"), meta.RESTScopeRoot)
	m.Add(dogkerVersion.WithKind("TenantContainer"), meta.RESTScopeNamespace)
	m.Add(dogkerVersion.WithKind("Volume"), meta.RESTScopeNamespace)
	m.Add(dogkerVersion.WithKind("VolumeSnapshot"), meta.RESTScopeNamespace)
	m.Add(dogkerVersion.WithKind("Tenant"), meta.RESTScopeRoot)

	return m
}

// request is one for a repository of these documents, each in a file of its own.
func request(t *testing.T, documents ...string) delivery.Request {
	t.Helper()

	r := delivery.Request{Sync: types.NamespacedName{Namespace: "acme", Name: "shop"}, ServiceAccount: "deployer", Prune: true}

	for _, document := range documents {
		raw, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}

		r.Objects = append(r.Objects, source.Object{File: "app.yaml", Line: len(r.Objects)*10 + 1, JSON: raw})
	}

	return r
}

// one is the only item of a document.
func one(t *testing.T, document string) *item {
	t.Helper()

	items, errs := decode(request(t, document), kinds())
	if len(errs) > 0 {
		t.Fatal(errs)
	}

	return items[0]
}

// object is what a document says, as the API would return it.
func object(t *testing.T, document string) *unstructured.Unstructured {
	t.Helper()

	raw, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}

	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}

	return u
}

const web = `
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec: {image: shop, replicas: 2}
`
