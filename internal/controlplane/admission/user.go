package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/client-go/dynamic"

	identity "github.com/dogker/dogker/api/identity/v1alpha1"
)

// UserPluginName is how the plugin for Users is known to the API server.
const UserPluginName = "DogkerUser"

var (
	userResource = identity.GroupVersion.WithResource("users")
	userKind     = schema.GroupKind{Group: identity.GroupVersion.Group, Kind: "User"}
)

// RegisterUser makes the plugin known.
func RegisterUser(plugins *admission.Plugins) {
	plugins.Register(UserPluginName, func(io.Reader) (admission.Interface, error) {
		return &User{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// User keeps email addresses unique. Registrations with the same address, which come from people in a hurry and from
// machines, are made one after the other by whoever takes them; for two administrators who give the same address at the
// same moment this is not a lock.
type User struct {
	*admission.Handler

	client dynamic.Interface
}

var (
	_ admission.ValidationInterface  = (*User)(nil)
	_ initializer.WantsDynamicClient = (*User)(nil)
)

// SetDynamicClient gives the plugin its sight of other objects.
func (p *User) SetDynamicClient(c dynamic.Interface) { p.client = c }

// ValidateInitialization refuses a plugin that could not see.
func (p *User) ValidateInitialization() error {
	if p.client == nil {
		return errors.New("admission of Users needs a client")
	}

	return nil
}

// Validate refuses an address that another User has.
func (p *User) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != userKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	email := emailOf(now)
	if email == "" || (old != nil && emailOf(old) == email) {
		return nil
	}

	others, err := p.client.Resource(userResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("list users: %w", err))
	}
	for i := range others.Items {
		if other := &others.Items[i]; other.GetName() != now.GetName() && emailOf(other) == email {
			return apierrors.NewConflict(a.GetResource().GroupResource(), now.GetName(),
				fmt.Errorf("spec.email: Duplicate value: %q: another User has it", email))
		}
	}

	return nil
}

// emailOf is the address as it is compared: case makes no difference.
func emailOf(u *unstructured.Unstructured) string {
	email, _, _ := unstructured.NestedString(u.Object, "spec", "email")

	return strings.ToLower(email)
}
