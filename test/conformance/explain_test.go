//go:build conformance

package conformance

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestEveryFieldIsExplained walks the schemas that the server serves: a field without a text is one that kubectl explain
// has nothing to say about.
func TestEveryFieldIsExplained(t *testing.T) {
	client, err := apiextensions.NewForConfig(shared.config(t))
	if err != nil {
		t.Fatal(err)
	}
	crds, err := client.ApiextensionsV1().CustomResourceDefinitions().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(crds.Items) < 2 {
		t.Fatalf("%d kinds are served, want at least 2", len(crds.Items))
	}

	for _, crd := range crds.Items {
		for _, v := range crd.Spec.Versions {
			fields := 0
			walk(crd.Spec.Names.Kind, *v.Schema.OpenAPIV3Schema, func(path string, schema apiextensionsv1.JSONSchemaProps) {
				fields++
				if strings.TrimSpace(schema.Description) == "" && !strings.HasSuffix(path, ".metadata") {
					t.Errorf("%s has no text", path)
				}
			})
			if fields < 10 {
				t.Errorf("%s has %d fields: the walk is broken", crd.Name, fields)
			}
		}
	}
}

// walk visits every named field below the schema.
func walk(path string, schema apiextensionsv1.JSONSchemaProps, visit func(path string, schema apiextensionsv1.JSONSchemaProps)) {
	for name, field := range schema.Properties {
		visit(path+"."+name, field)
		walk(path+"."+name, field, visit)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		walk(path+"[]", *schema.Items.Schema, visit)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		walk(path+"{}", *schema.AdditionalProperties.Schema, visit)
	}
}

func TestExplain(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		contains(t, "explain", k.do("", "explain", "tc"), "TenantContainer", "keeps one long-running container")
		contains(t, "explain a field", k.do("", "explain", "tenantcontainer.spec.rollout.failureAction"), "Rollback", "Pause", "Continue")
		all := k.do("", "explain", "tc.spec", "--recursive")
		contains(t, "explain --recursive", all, "image", "healthCheck", "terminationGracePeriodSeconds")
	})
}
