package admission

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/reconciler/jobrun"
)

// TestFieldsAreThoseOfTheJob: what is found in a job's template stands where its owner wrote it.
func TestFieldsAreThoseOfTheJob(t *testing.T) {
	for in, want := range map[string]string{
		"spec.resources.limits.memory":                  "spec.template.resources.limits.memory",
		"spec.env[0]: \"PASSWORD\" looks like a secret": "spec.template.env[0]: \"PASSWORD\" looks like a secret",
		"spec.replicas": "spec.parallelism",
		"metadata.name": "metadata.name",
	} {
		if got := jobrun.Field(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}

	before := field.ErrorList{field.Required(field.NewPath("spec", "image"), "say which")}
	if after := inTemplate(before); after[0].Field != "spec.template.image" || before[0].Field != "spec.image" {
		t.Errorf("%v becomes %v", before, after)
	}
}
