package conformance

import (
	"context"
	"io/fs"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/manifests"
)

// TestCRDSchemas holds every CRD against the API server's own rules: structural schema, CEL that compiles, and CEL whose
// worst case stays within the cost budget.
func TestCRDSchemas(t *testing.T) {
	files, err := fs.Glob(manifests.CRDs, "crds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}

	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			raw, err := manifests.CRDs.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}

			var crd apiextensionsv1.CustomResourceDefinition
			if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
				t.Fatal(err)
			}
			apiextensionsv1.SetDefaults_CustomResourceDefinition(&crd)

			var internal apiextensions.CustomResourceDefinition
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&crd, &internal, nil); err != nil {
				t.Fatal(err)
			}
			internal.Status.StoredVersions = []string{"v1alpha1"}

			for _, e := range validation.ValidateCustomResourceDefinition(context.Background(), &internal) {
				t.Error(e)
			}
		})
	}
}
