package hostile

import (
	"context"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/manifests"
	"github.com/dogker/dogker/reconciler/policy"
)

// door is what stands between a tenant and the store: the schema, and then the policy of the world.
type door struct {
	structural *structural.Structural
	schema     validation.SchemaValidator
	cel        *cel.Validator
	policies   map[string]policy.Policy
}

func newDoor(t testing.TB) *door {
	t.Helper()
	raw, err := manifests.CRDs.ReadFile("crds/dogker.io_tenantcontainers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		t.Fatal(err)
	}
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(crd.Spec.Versions[0].Schema, &internal, nil); err != nil {
		t.Fatal(err)
	}

	d := &door{policies: map[string]policy.Policy{}}
	if d.structural, err = structural.NewStructural(internal.OpenAPIV3Schema); err != nil {
		t.Fatal(err)
	}
	if d.schema, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
		t.Fatal(err)
	}
	d.cel = cel.NewValidator(d.structural, true, celconfig.PerCallLimit)
	for name, w := range Worlds() {
		d.policies[name] = policy.Of(&w.Tenant, &w.Plan)
	}

	return d
}

// judge does what the API server does with a create request, in its order, and returns the refusals of the first stage
// that has any.
func (d *door) judge(t testing.TB, world, body string) field.ErrorList {
	t.Helper()
	raw, err := yaml.YAMLToJSONStrict([]byte(body))
	if err != nil {
		t.Fatalf("the case is no YAML: %v", err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}

	var errs field.ErrorList
	for _, path := range pruning.PruneWithOptions(u.Object, d.structural, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		errs = append(errs, field.Forbidden(field.NewPath(path), "unknown field"))
	}
	if len(errs) > 0 {
		return errs
	}
	defaulting.Default(u.Object, d.structural)

	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	d.policies[world].Default(spec)
	u.Object["spec"] = spec

	errs = validation.ValidateCustomResource(nil, u.Object, d.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.structural, u.Object)...)
	if len(errs) == 0 {
		errs, _ = d.cel.Validate(context.Background(), nil, d.structural, u.Object, nil, celconfig.RuntimeCELCostBudget)
	}
	if len(errs) > 0 {
		return errs
	}

	if errs = d.policies[world].Unknown(spec); len(errs) > 0 {
		return errs
	}
	var typed v1alpha1.TenantContainerSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &typed); err != nil {
		t.Fatal(err)
	}

	return d.policies[world].Check(&typed)
}

// TestHostile: what breaks a rule is refused, by the field and the rule, and by nothing else.
func TestHostile(t *testing.T) {
	specs := Specs()
	if len(specs) < 120 {
		t.Fatalf("%d hostile specs, want at least 120", len(specs))
	}
	names := map[string]bool{}
	d := newDoor(t)

	for _, tc := range specs {
		if names[tc.Name] {
			t.Errorf("two cases are called %s", tc.Name)
		}
		names[tc.Name] = true

		t.Run(tc.Name, func(t *testing.T) {
			errs := d.judge(t, tc.World, Body(tc.YAML))
			if !slices.ContainsFunc(errs, func(e *field.Error) bool {
				return e.Field == tc.Field && (tc.Rule == Schema || strings.Contains(e.Detail, "by rule "+tc.Rule+" ") || strings.Contains(e.Detail, "by rule "+tc.Rule+","))
			}) {
				t.Errorf("want rule %s at %s, got:\n%v", tc.Rule, tc.Field, errs.ToAggregate())
			}
			for _, e := range errs {
				if tc.Rule != Schema && !strings.Contains(e.Detail, "by rule "+tc.Rule) {
					t.Errorf("it is refused for something else, too: %v", e)
				}
			}
		})
	}
}

// TestEveryRuleIsBroken: a rule without a case could be taken out unnoticed.
func TestEveryRuleIsBroken(t *testing.T) {
	broken := map[string]bool{}
	for _, tc := range Specs() {
		broken[tc.Rule] = true
	}
	for _, id := range policy.RuleIDs() {
		if !broken[id] {
			t.Errorf("no case breaks rule %s", id)
		}
	}
}

// TestGood: what is in order is let in.
func TestGood(t *testing.T) {
	d := newDoor(t)
	for world, specs := range Good() {
		for _, spec := range specs {
			if errs := d.judge(t, world, Body(spec)); len(errs) > 0 {
				t.Errorf("%s refuses %s:\n%v", world, spec, errs.ToAggregate())
			}
		}
	}
}

// BenchmarkPolicy is what the rules add to the admission of a container: defaults, conversion and all checks.
func BenchmarkPolicy(b *testing.B) {
	w := Worlds()[Ranged]
	p := policy.Of(&w.Tenant, &w.Plan)
	raw, err := yaml.YAMLToJSON([]byte(Body(`{replicas: 3, ports: [{containerPort: 80, publish: {mode: Host, port: 20000}}], labels: {team: shop}, env: [{name: A, value: b}, {name: C, value: d}]}`)))
	if err != nil {
		b.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		b.Fatal(err)
	}

	b.ReportAllocs()
	for b.Loop() {
		spec := u.DeepCopy().Object["spec"].(map[string]any)
		p.Default(spec)
		var typed v1alpha1.TenantContainerSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &typed); err != nil {
			b.Fatal(err)
		}
		if errs := append(p.Unknown(spec), p.Check(&typed)...); len(errs) > 0 {
			b.Fatal(errs.ToAggregate())
		}
	}
}
