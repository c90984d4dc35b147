package admission

import (
	"context"
	"io"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// RecordPluginName is how the plugin for ContainerRevisions is known to the API server.
const RecordPluginName = "DogkerContainerRevision"

var recordKind = schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: "ContainerRevision"}

// RegisterRecord makes the plugin known.
func RegisterRecord(plugins *admission.Plugins) {
	plugins.Register(RecordPluginName, func(io.Reader) (admission.Interface, error) {
		return Record{admission.NewHandler(admission.Update)}, nil
	})
}

// Record keeps the spec of ContainerRevisions as it was written. A rule in the schema could say the same, but the API
// server would compare the whole template through its expression language at each change of the outcome, which took a
// quarter of such a request.
type Record struct {
	*admission.Handler
}

var _ admission.ValidationInterface = Record{}

// Validate refuses a change of the spec.
func (Record) Validate(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != recordKind {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	if equality.Semantic.DeepEqual(now.Object["spec"], old.Object["spec"]) {
		return nil
	}

	refusal := field.Forbidden(field.NewPath("spec"), "is immutable: a revision is a record of what ran")

	return apierrors.NewInvalid(recordKind, now.GetName(), field.ErrorList{refusal})
}
