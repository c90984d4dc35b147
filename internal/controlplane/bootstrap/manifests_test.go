package bootstrap

import (
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestManifests: what the binary carries can be read, and is what the API package defines.
func TestManifests(t *testing.T) {
	crds, err := kinds()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, crd := range crds {
		found[crd.Spec.Group+" "+crd.Spec.Names.Kind] = true
		if len(crd.Spec.Names.ShortNames) == 0 || len(crd.Spec.Names.Categories) == 0 {
			t.Errorf("%s has no short name or no category", crd.Name)
		}
	}
	for _, kind := range []string{"TenantContainer", "ContainerRevision"} {
		if !found[v1alpha1.GroupVersion.Group+" "+kind] {
			t.Errorf("%s is missing", kind)
		}
	}
}

// TestRoles: every role says by a label who gets it, by aggregation to one of Kubernetes' own or as a role of a tenant's
// members, or is bound; nobody would have it otherwise.
func TestRoles(t *testing.T) {
	wanted, err := roles()
	if err != nil || len(wanted) == 0 {
		t.Fatalf("%d roles, %v", len(wanted), err)
	}
	bound := map[string]bool{}
	have, err := bindings()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range have {
		bound[b.RoleRef.Name] = len(b.Subjects) > 0
	}
	for _, role := range wanted {
		if (len(role.Labels) == 0 && !bound[role.Name]) || len(role.Rules) == 0 {
			t.Errorf("%s has %d labels and %d rules, and is bound: %v", role.Name, len(role.Labels), len(role.Rules), bound[role.Name])
		}
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				if verb == "*" {
					t.Errorf("%s allows everything", role.Name)
				}
			}
		}
	}
}
