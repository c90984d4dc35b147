package admission

import (
	"context"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// everywhere lets the platform do what is asked in no namespace in particular, and the owner of a tenant what is asked in
// a namespace.
func everywhere(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetUser().GetName() == "platform" && a.GetNamespace() == "" && a.GetVerb() == verbAdopt || a.GetUser().GetName() == "owner" && a.GetNamespace() != "" {
		return authorizer.DecisionAllow, "", nil
	}

	return authorizer.DecisionNoOpinion, "", nil
}

func TestAdoption(t *testing.T) {
	annotated := func(key, id string) metav1.ObjectMeta {
		m := metav1.ObjectMeta{Namespace: "shop", Name: "web"}
		if id != "" {
			m.Annotations = map[string]string{key: id}
		}

		return m
	}
	web := func(id string) runtime.Object {
		return &v1alpha1.TenantContainer{ObjectMeta: annotated(v1alpha1.AnnotationAdopt, id)}
	}
	shop := func(id string) runtime.Object {
		return &v1alpha1.Tenant{ObjectMeta: annotated(v1alpha1.AnnotationAdoptNetwork, id)}
	}
	cases := map[string]struct {
		reason   string
		who      string
		resource string
		now, old runtime.Object
		code     int32
	}{
		"Platform":        {"Whoever may adopt everywhere may adopt.", "platform", "tenantcontainers", web("svc-1"), nil, 0},
		"Owner":           {"An ID is no proof that the service is one's own.", "owner", "tenantcontainers", web("svc-1"), nil, http.StatusForbidden},
		"OwnerLater":      {"Nor is it later.", "owner", "tenantcontainers", web("svc-1"), web(""), http.StatusForbidden},
		"OwnerAnother":    {"Leave for one is none for another.", "owner", "tenantcontainers", web("svc-2"), web("svc-1"), http.StatusForbidden},
		"OwnerAfterwards": {"What stands there already concerns nobody.", "owner", "tenantcontainers", web("svc-1"), web("svc-1"), 0},
		"OwnerTakesAway":  {"It undoes nothing.", "owner", "tenantcontainers", web(""), web("svc-1"), 0},
		"WithoutAnything": {"Most containers have nothing to do with it.", "owner", "tenantcontainers", web(""), nil, 0},
		"Network":         {"A network is adopted by the same right.", "platform", "tenants", shop("net-1"), shop(""), 0},
		"OwnersNetwork":   {"A network of others is a way to their containers.", "owner", "tenants", shop("net-1"), shop(""), http.StatusForbidden},
		"AnotherKind":     {"On other kinds the annotation means nothing.", "owner", "containerrevisions", web("svc-1"), nil, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &Adoption{}
			p.SetAuthorizer(authorizer.AuthorizerFunc(everywhere))
			a := admission.NewAttributesRecord(tc.now, tc.old, v1alpha1.GroupVersion.WithKind("Any"), "shop", "web",
				v1alpha1.GroupVersion.WithResource(tc.resource), "", admission.Update, nil, false, &user.DefaultInfo{Name: tc.who})
			check(t, tc.reason, p.Validate(t.Context(), a, nil), tc.code, "", "")
		})
	}
}
