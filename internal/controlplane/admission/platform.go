package admission

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	core "k8s.io/kubernetes/pkg/apis/core"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// PlatformPluginName is how the plugin for what is the platform's own is known to the API server.
const PlatformPluginName = "DogkerPlatform"

// RegisterPlatform makes the plugin known.
func RegisterPlatform(plugins *admission.Plugins) {
	plugins.Register(PlatformPluginName, func(io.Reader) (admission.Interface, error) {
		return Platform{admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Platform keeps to the platform, on all kinds but TenantContainers, what tenants could gain something by: annotations by
// which controllers order each other about, and the type of Secrets that quotas do not count.
type Platform struct {
	*admission.Handler
}

var _ admission.ValidationInterface = Platform{}

// Validate refuses both.
func (Platform) Validate(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	resource := a.GetResource().GroupResource()
	if secret, ok := a.GetObject().(*core.Secret); ok && a.GetOperation() == admission.Create {
		if secret.Type == v1alpha1.SecretTypeRevisionEnv && !ofPlatform(a.GetUserInfo()) {
			return apierrors.NewForbidden(resource, a.GetName(), field.Forbidden(field.NewPath("type"),
				fmt.Sprintf("Secrets of type %s are what Dogker keeps for revisions; choose another type, such as Opaque", v1alpha1.SecretTypeRevisionEnv)))
		}

		return nil
	}
	if concerns(a) || !annotated(resource.Group, resource.Resource) {
		return nil
	}

	now, err := meta.Accessor(a.GetObject())
	if err != nil {
		return nil // A subresource of another shape, such as a scale, has no annotations to store.
	}
	var old map[string]string
	if before, err := meta.Accessor(a.GetOldObject()); err == nil && a.GetOldObject() != nil {
		old = before.GetAnnotations()
	}
	if resource.Resource == "billingaccounts" && signed(old, now.GetAnnotations(), a.GetUserInfo().GetName()) {
		old = withKey(old, billingv1.AnnotationWrittenOffBy, now.GetAnnotations())
	}
	if errs := foreign(old, now.GetAnnotations(), a.GetUserInfo().GetName()); len(errs) > 0 {
		return apierrors.NewForbidden(resource, a.GetName(), errs.ToAggregate())
	}

	return nil
}

// withKey is before, with one key as it is after.
func withKey(before map[string]string, key string, after map[string]string) map[string]string {
	out := maps.Clone(before)
	if out == nil {
		out = map[string]string{}
	}
	if value, there := after[key]; there {
		out[key] = value
	} else {
		delete(out, key)
	}

	return out
}

// annotated is true for kinds whose annotations decide something: all of ours, and namespaces.
func annotated(group, resource string) bool {
	return group == v1alpha1.GroupVersion.Group || group == billingv1.GroupVersion.Group || group == "" && resource == "namespaces"
}

func ofPlatform(u user.Info) bool {
	return u.GetName() == Loopback || slices.Contains(u.GetGroups(), user.SystemPrivilegedGroup)
}
