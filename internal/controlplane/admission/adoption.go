package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// AdoptionPluginName is how the plugin for what was in Swarm before us is known to the API server.
const AdoptionPluginName = "DogkerAdoption"

// verbAdopt is a verb on tenantcontainers and tenants, beside Kubernetes' own, that the platform has and no tenant.
const verbAdopt = "adopt"

// adoptions are the annotations by which what is somebody else's in Swarm becomes a tenant's, by the resource they are on.
var adoptions = map[string]string{
	"tenantcontainers": v1alpha1.AnnotationAdopt,
	"tenants":          v1alpha1.AnnotationAdoptNetwork,
}

// RegisterAdoption makes the plugin known.
func RegisterAdoption(plugins *admission.Plugins) {
	plugins.Register(AdoptionPluginName, func(io.Reader) (admission.Interface, error) {
		return &Adoption{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Adoption keeps to the platform what services and networks of others a tenant gets: by the ID alone a tenant could
// otherwise take what is its neighbour's, or the operator's own.
type Adoption struct {
	*admission.Handler

	authorizer authorizer.Authorizer
}

var (
	_ admission.ValidationInterface     = (*Adoption)(nil)
	_ initializer.WantsAuthorizer       = (*Adoption)(nil)
	_ admission.InitializationValidator = (*Adoption)(nil)
)

// SetAuthorizer gives the plugin its sight of who may what.
func (p *Adoption) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// ValidateInitialization refuses a plugin that could not see.
func (p *Adoption) ValidateInitialization() error {
	if p.authorizer == nil {
		return errors.New("admission of adoptions needs an authorizer")
	}

	return nil
}

// Validate refuses the annotation from whoever may not adopt everywhere. A right in one namespace does not do: members of
// tenants have such rights. Whoever may write the object may take the annotation away, which undoes nothing.
func (p *Adoption) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	resource := a.GetResource().GroupResource()
	key, ok := adoptions[resource.Resource]
	if !ok || resource.Group != v1alpha1.GroupVersion.Group {
		return nil
	}
	now, err := meta.Accessor(a.GetObject())
	if err != nil {
		return nil // A subresource of another shape, such as a scale, has no annotations to store.
	}
	id, asked := now.GetAnnotations()[key]
	if !asked || a.GetOldObject() != nil && sameAnnotation(a, key, id) {
		return nil
	}

	decision, _, err := p.authorizer.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: verbAdopt, APIGroup: resource.Group, APIVersion: v1alpha1.GroupVersion.Version,
		Resource: resource.Resource, Name: a.GetName(), ResourceRequest: true,
	})
	if decision == authorizer.DecisionAllow {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("metadata", "annotations").Key(key), fmt.Sprintf(
		"gives away what runs in Swarm already, which is the platform's to decide: it takes the right to %s %s in all namespaces", verbAdopt, resource.Resource))

	return apierrors.NewForbidden(resource, a.GetName(), errors.Join(refusal, err))
}

// sameAnnotation is true when the object had the annotation, with that value, before.
func sameAnnotation(a admission.Attributes, key, value string) bool {
	old, err := meta.Accessor(a.GetOldObject())
	if err != nil {
		return false
	}
	before, had := old.GetAnnotations()[key]

	return had && before == value
}
