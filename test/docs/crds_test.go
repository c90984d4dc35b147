package docs

import (
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/dogker/dogker/manifests"
)

// TestServersTakeOurKinds holds the CRDs against the rules by which an API server admits them, the cost of their
// expressions among them.
func TestServersTakeOurKinds(t *testing.T) {
	files, err := manifests.CRDs.ReadDir("crds")
	if err != nil {
		t.Fatal(err)
	}

	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			raw, err := manifests.CRDs.ReadFile("crds/" + file.Name())
			if err != nil {
				t.Fatal(err)
			}

			var crd apiextensionsv1.CustomResourceDefinition
			if err := sigsyaml.UnmarshalStrict(raw, &crd); err != nil {
				t.Fatal(err)
			}

			apiextensionsv1.SetDefaults_CustomResourceDefinition(&crd)
			apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)

			var internal apiextensions.CustomResourceDefinition
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&crd, &internal, nil); err != nil {
				t.Fatal(err)
			}

			for _, v := range crd.Spec.Versions {
				for _, c := range v.AdditionalPrinterColumns {
					if strings.ContainsAny(c.Name, " \t") {
						t.Errorf("column %q: programs split what kubectl prints at spaces, so its name must have none", c.Name)
					}
				}
			}
			for _, err := range validation.ValidateCustomResourceDefinition(t.Context(), &internal) {
				t.Error(err)
			}
		})
	}
}
