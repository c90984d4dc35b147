package admission

import (
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/yaml"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

func gitPreview(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte("spec: {"+spec+"}"), &u.Object); err != nil {
		t.Fatal(err)
	}
	u.SetAPIVersion(gitopsv1.GroupVersion.String())
	u.SetKind("GitPreview")
	u.SetNamespace("shop")
	u.SetName("web")

	return u
}

func previewRequest(who string, now, old *unstructured.Unstructured) admission.Attributes {
	op := admission.Create
	var before runtime.Object
	if old != nil {
		op, before = admission.Update, old
	}

	return admission.NewAttributesRecord(now, before, gitopsv1.GroupVersion.WithKind("GitPreview"), "shop", "web",
		gitopsv1.GroupVersion.WithResource("gitpreviews"), "", op, nil, true, &user.DefaultInfo{Name: who})
}

func previewPlugin() *GitPreview {
	return &GitPreview{Handler: admission.NewHandler(admission.Create, admission.Update), authorizer: authorizer.AuthorizerFunc(byAccounts)}
}

func TestWhoMayPreview(t *testing.T) {
	const mine, boss = "url: 'https://git.example/a'", "url: 'https://git.example/a', serviceAccountName: boss"

	for name, tc := range map[string]struct {
		reason   string
		who      string
		now, old string
		allowed  bool
	}{
		"Developer":   {"Developers have previews that read as gitsync.", "dev", mine, "", true},
		"Rises":       {"Not as somebody who may more than they.", "dev", boss, "", false},
		"Owner":       {"An owner can be that account.", "owner", boss, "", true},
		"TakesOver":   {"What reads as somebody is not pointed elsewhere by who could not be that.", "dev", mine, boss, false},
		"Viewer":      {"Who can be no account has no previews.", "viewer", mine, "", false},
		"NothingNew":  {"Labels are nobody's rights.", "viewer", mine, mine, true},
		"Blind":       {"Who cannot be judged is refused.", "blind", mine, "", false},
		"StaysItsOwn": {"An owner may give it to developers.", "owner", mine, boss, true},
	} {
		t.Run(name, func(t *testing.T) {
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = gitPreview(t, tc.old)
			}

			err := previewPlugin().Validate(t.Context(), previewRequest(tc.who, gitPreview(t, tc.now), old), nil)
			if tc.allowed != (err == nil) || err != nil && !apierrors.IsForbidden(err) {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}
}

func TestPreviewSpec(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		spec   string
		says   string
	}{
		"Good":       {"This is one.", "url: 'https://git.example/a', template: {path: deploy/preview}", ""},
		"Loopback":   {"Tenants' repositories are on the Internet.", "url: 'https://127.0.0.1/a'", "spec.url"},
		"SSH":        {"There is no ssh without keys.", "url: 'ssh://git@git.example/a'", "spec.secretRef"},
		"PlainHTTP":  {"Passwords are not sent for everybody to read.", "url: 'http://git.example/a', secretRef: {name: git}", "spec.url"},
		"Out":        {"A path stays in the repository.", "url: 'https://git.example/a', template: {path: a/../../b}", "spec.template.path"},
		"Variable":   {"Variables have names.", "url: 'https://git.example/a', template: {postBuild: {substitute: {'a b': c}}}", "spec.template.postBuild.substitute"},
		"SameSource": {"What is named twice is a mistake.", "url: 'https://git.example/a', template: {postBuild: {substituteFrom: [{kind: Secret, name: a}, {kind: Secret, name: a}]}}", "spec.template.postBuild.substituteFrom[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			err := previewPlugin().Validate(t.Context(), previewRequest("dev", gitPreview(t, tc.spec), nil), nil)
			if (err == nil) != (tc.says == "") || err != nil && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}

	now := gitPreview(t, "url: 'https://git.example/a'")
	if err := previewPlugin().Admit(t.Context(), previewRequest("dev", now, nil), nil); err != nil || !slices.Contains(now.GetFinalizers(), gitopsv1.FinalizerGitPreview) {
		t.Errorf("it is born with %q: %v", now.GetFinalizers(), err)
	}

	secret := gitPreview(t, "url: 'https://me:hunter2@git.example/a'")
	if err := previewPlugin().Admit(t.Context(), previewRequest("dev", secret, nil), nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password in a URL: %v", err)
	}
}
