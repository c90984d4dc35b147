package bootstrap

import (
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

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

// TestFairness: every flow schema refers to a level that there is and tells flows apart, but for those of our own users, who
// wait for nobody; and the level of tenants neither lends seats nor borrows any, so that its size is what bounds a flood.
func TestFairness(t *testing.T) {
	have, err := levels()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, level := range have {
		known[level.Name] = true
		limited := level.Spec.Limited
		if limited == nil || limited.LendablePercent == nil || *limited.LendablePercent != 0 || limited.BorrowingLimitPercent == nil || *limited.BorrowingLimitPercent != 0 {
			t.Errorf("level %s lends or borrows: %+v", level.Name, level.Spec)
		}
	}

	schemas, err := flows()
	if err != nil || len(schemas) == 0 {
		t.Fatalf("%d flow schemas, %v", len(schemas), err)
	}
	for _, schema := range schemas {
		if schema.Spec.PriorityLevelConfiguration.Name == flowcontrolv1.PriorityLevelConfigurationNameExempt {
			for _, rule := range schema.Spec.Rules {
				for _, s := range rule.Subjects {
					if s.User == nil || !strings.HasPrefix(s.User.Name, "system:dogker:") {
						t.Errorf("flow schema %s lets %+v wait for nobody", schema.Name, s)
					}
				}
			}

			continue
		}
		if !known[schema.Spec.PriorityLevelConfiguration.Name] || schema.Spec.DistinguisherMethod == nil {
			t.Errorf("flow schema %s has level %q and tells flows apart by %v", schema.Name, schema.Spec.PriorityLevelConfiguration.Name, schema.Spec.DistinguisherMethod)
		}
	}
}
