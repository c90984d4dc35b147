package admission

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	core "k8s.io/kubernetes/pkg/apis/core"
)

// only lets jane ask for tokens of one account of one namespace.
func only(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if a.GetUser().GetName() == "jane" && a.GetVerb() == "create" && a.GetNamespace() == "shop" && a.GetAPIGroup() == "" &&
		a.GetResource() == "serviceaccounts" && a.GetSubresource() == "token" && a.GetName() == "ci" && a.IsResourceRequest() {
		return authorizer.DecisionAllow, "", nil
	}

	return authorizer.DecisionNoOpinion, "", nil
}

func TestTokenSecret(t *testing.T) {
	of := func(kind core.SecretType, account string) *core.Secret {
		s := &core.Secret{Type: kind}
		s.Name, s.Namespace, s.Annotations = "token", "shop", map[string]string{core.ServiceAccountNameKey: account}

		return s
	}
	const token = core.SecretTypeServiceAccountToken

	for claim, tc := range map[string]struct {
		reason   string
		who      string
		now, old *core.Secret
		blind    error
		want     bool
	}{
		"MayHaveTheToken":  {"It is another way to ask for it.", "jane", of(token, "ci"), nil, nil, true},
		"OfAnotherAccount": {"The right is for one account.", "jane", of(token, "admin"), nil, nil, false},
		"MayNot":           {"Who may write Secrets is not every account of the namespace.", "john", of(token, "ci"), nil, nil, false},
		"OtherType":        {"Nobody fills it.", "john", of(core.SecretTypeOpaque, "ci"), nil, nil, true},
		"Labelled":         {"The token in it stays that of the same account.", "john", of(token, "ci"), of(token, "ci"), nil, true},
		"Turned":           {"It would be filled anew, for another account.", "john", of(token, "admin"), of(token, "ci"), nil, false},
		"Blind":            {"What cannot be judged is not let in.", "jane", of(token, "ci"), nil, errBoom, false},
	} {
		t.Run(claim, func(t *testing.T) {
			op, old := admission.Create, runtime.Object(nil)
			if tc.old != nil {
				op, old = admission.Update, tc.old
			}
			p := &TokenSecret{authorizer: authorizer.AuthorizerFunc(func(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
				if tc.blind != nil {
					return authorizer.DecisionNoOpinion, "", tc.blind
				}

				return only(ctx, a)
			})}
			err := p.Validate(t.Context(), admission.NewAttributesRecord(tc.now, old, core.SchemeGroupVersion.WithKind("Secret").GroupKind().WithVersion("v1"),
				"shop", "token", core.Resource("secrets").WithVersion("v1"), "", op, nil, false, &user.DefaultInfo{Name: tc.who}), nil)
			if (err == nil) != tc.want {
				t.Fatalf("got %v, want let in to be %v: %s", err, tc.want, tc.reason)
			}
			if err != nil && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "type: Forbidden") || !strings.Contains(err.Error(), "serviceaccounts/token")) {
				t.Errorf("the refusal says %v", err)
			}
		})
	}
}
