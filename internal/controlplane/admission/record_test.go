package admission

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestRecordsStayAsTheyWereWritten(t *testing.T) {
	record := func(image, outcome string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": "web-1", "namespace": "acme"},
			"spec":     map[string]any{"revision": int64(1), "template": map[string]any{"image": image}},
			"status":   map[string]any{"outcome": outcome},
		}}
	}

	cases := map[string]struct {
		reason  string
		kind    string
		now     *unstructured.Unstructured
		refused bool
	}{
		"Outcome":   {reason: "The outcome comes later than the record.", kind: "ContainerRevision", now: record("shop:1", "Complete")},
		"Template":  {reason: "What ran, ran.", kind: "ContainerRevision", now: record("shop:2", "Progressing"), refused: true},
		"OtherKind": {reason: "Other kinds have specs that are meant to change.", kind: "TenantContainer", now: record("shop:2", "")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			attributes := admission.NewAttributesRecord(tc.now, record("shop:1", "Progressing"), v1alpha1.GroupVersion.WithKind(tc.kind),
				"acme", "web-1", v1alpha1.GroupVersion.WithResource("any"), "", admission.Update, nil, false, nil)

			err := Record{}.Validate(t.Context(), attributes, nil)
			if (err != nil) != tc.refused {
				t.Errorf("%s\ngot error %v, want one: %v", tc.reason, err, tc.refused)
			}
			if tc.refused && !strings.Contains(err.Error(), "spec: Forbidden: is immutable") {
				t.Errorf("the refusal must name the field: %v", err)
			}
		})
	}
}
