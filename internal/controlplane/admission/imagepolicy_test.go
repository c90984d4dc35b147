package admission

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

// imagePolicy is one with what the YAML says about it.
func imagePolicy(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	u := sync(t, spec)
	u.SetKind("ImagePolicy")

	return u
}

func imagePolicyRequest(who, subresource string, now, old *unstructured.Unstructured) admission.Attributes {
	op := admission.Create
	var before runtime.Object
	if old != nil {
		op, before = admission.Update, old
	}

	return admission.NewAttributesRecord(now, before, gitopsv1.GroupVersion.WithKind("ImagePolicy"), "shop", "web",
		gitopsv1.GroupVersion.WithResource("imagepolicies"), subresource, op, nil, true, &user.DefaultInfo{Name: who})
}

func imagePolicyPlugin() *ImagePolicy {
	return &ImagePolicy{Handler: admission.NewHandler(admission.Create, admission.Update), authorizer: authorizer.AuthorizerFunc(byAccounts), directory: restricted()}
}

// TestRegistriesOfPolicies: the server asks, from its own network, and so a policy may name no registry that a container may not.
func TestRegistriesOfPolicies(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason, image string
		change        func(*v1alpha1.Plan)
		want          bool
	}{
		"Hub":       {"Everybody reaches it.", "nginx", nil, true},
		"Name":      {"So is this one.", "registry.example/a/b", nil, true},
		"Loopback":  {"The server's own ports, without TLS.", "127.0.0.1:2379/a", nil, false},
		"Localhost": {"By its name as well.", "localhost:6443/a", nil, false},
		"Private":   {"The network of the nodes.", "10.0.0.1/a", nil, false},
		"Metadata":  {"What clouds tell their machines.", "169.254.169.254/a", nil, false},
		"Port":      {"A scan of ports.", "registry.example:22/a", nil, false},
		"PlanNamesIt": {"The platform has said so.", "10.0.0.1/a", func(p *v1alpha1.Plan) {
			p.Spec.Images = &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{"10.0.0.1/*"}}
		}, true},
		"PlanNamesOthers": {"Nor may containers.", "nginx", func(p *v1alpha1.Plan) {
			p.Spec.Images = &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{"10.0.0.1/*"}}
		}, false},
		"TagsAreNoMatter": {"A repository has none; the policy finds one.", "nginx", func(p *v1alpha1.Plan) { p.Spec.Images = &v1alpha1.ImageRules{Tags: v1alpha1.TagsNotLatest} }, true},
		"Privileged":      {"It may, as its containers may.", "10.0.0.1/a", func(p *v1alpha1.Plan) { p.Spec.SecurityProfile = v1alpha1.ProfilePrivileged }, true},
	} {
		t.Run(claim, func(t *testing.T) {
			plan := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}}
			if tc.change != nil {
				tc.change(plan)
			}
			rules := policy.Of(&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, plan)

			p := imagePolicyPlugin()
			p.directory = directory{policy: &rules}

			now := imagePolicy(t, "spec: {image: '"+tc.image+"', policy: {semver: {range: 1.x}}}")
			err := p.Validate(t.Context(), imagePolicyRequest("dev", "", now, nil), nil)
			if (err == nil) != tc.want || err != nil && !strings.Contains(err.Error(), "spec.image") {
				t.Errorf("%s\ngot %v, want let in to be %v", tc.reason, err, tc.want)
			}
		})
	}
}

func TestWhoMayFollowImages(t *testing.T) {
	const (
		plain  = "spec: {image: nginx, policy: {semver: {range: 1.x}}}"
		bosses = "spec: {image: nginx, policy: {semver: {range: 1.x}}, serviceAccountName: boss}"
		theirs = "spec: {image: evil, policy: {semver: {range: 1.x}}, serviceAccountName: boss}"
	)

	for claim, tc := range map[string]struct {
		reason, who, subresource string
		now, old                 *unstructured.Unstructured
		want                     bool
	}{
		"Developer":       {"Developers follow with their own rights.", "dev", "", imagePolicy(t, plain), nil, true},
		"DeveloperAsBoss": {"Who names an account is that account.", "dev", "", imagePolicy(t, bosses), nil, false},
		"Owner":           {"Who may have all tokens may name all accounts.", "owner", "", imagePolicy(t, bosses), nil, true},
		"Viewer":          {"Who has no right to the account has none by a policy.", "viewer", "", imagePolicy(t, plain), nil, false},
		"Redirects":       {"Who says which image decides what the account does.", "dev", "", imagePolicy(t, theirs), imagePolicy(t, bosses), false},
		"TakesOver":       {"A policy of the boss is not for others to change.", "dev", "", imagePolicy(t, plain), imagePolicy(t, bosses), false},
		"Same":            {"What says nothing about the spec takes no right.", "viewer", "", imagePolicy(t, bosses), imagePolicy(t, bosses), true},
		"Status":          {"The status is the controller's.", "viewer", "status", imagePolicy(t, theirs), imagePolicy(t, bosses), true},
		"Blind":           {"What cannot be judged is not let in.", "blind", "", imagePolicy(t, plain), nil, false},
	} {
		t.Run(claim, func(t *testing.T) {
			err := imagePolicyPlugin().Validate(t.Context(), imagePolicyRequest(tc.who, tc.subresource, tc.now, tc.old), nil)
			if (err == nil) != tc.want {
				t.Fatalf("got %v, want let in to be %v: %s", err, tc.want, tc.reason)
			}
			if err != nil && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "whoever decides about this ImagePolicy acts as that ServiceAccount")) {
				t.Errorf("the refusal says %v", err)
			}
		})
	}
}

func TestImagePoliciesThatCannotWork(t *testing.T) {
	const author = "author: {name: b, email: b@c.example}"
	git := func(fields string) string {
		return "spec: {image: a, policy: {semver: {range: 1.x}}, update: {git: {" + author + ", " + fields + "}}}"
	}

	for claim, tc := range map[string]struct{ reason, spec, says string }{
		"Range":      {"It would never choose.", "spec: {image: a, policy: {semver: {range: newest}}}", `spec.policy.semver.range: Invalid value: "newest": must be a range of versions`},
		"Pattern":    {"Nor would this.", "spec: {image: a, policy: {alphabetical: {}}, filterTags: {pattern: '('}}", `spec.filterTags.pattern: Invalid value: "(": must be a regular expression`},
		"PrivateURL": {"Tenants push to the Internet.", git("url: 'https://10.0.0.1/a'"), "spec.update.git.url: Invalid value: \"https://10.0.0.1/a\": must not be at a private"},
		"NoKey":      {"There is no ssh without a key.", git("url: 'ssh://git@git.example/a'"), "spec.update.git.secretRef: Required value"},
		"PlainHTTP":  {"Everybody could read the password.", git("url: 'http://git.example/a', secretRef: {name: s}"), "spec.update.git.url: Invalid value: \"http://git.example/a\": must begin with https://"},
		"Branch":     {"No name of a branch.", git("url: 'https://git.example/a', branch: 'a..b'"), `spec.update.git.branch: Invalid value: "a..b"`},
		"PushBranch": {"Nor is this.", git("url: 'https://git.example/a', pushBranch: '-x'"), `spec.update.git.pushBranch: Invalid value: "-x"`},
		"Path":       {"It leads out.", git("gitSyncName: x, path: ../y"), `spec.update.git.path: Invalid value: "../y"`},
		"Template":   {"No template.", git("gitSyncName: x, messageTemplate: '{{.'"), `spec.update.git.messageTemplate: Invalid value: "{{."`},
		"Good":       {"All is well.", git("gitSyncName: x, path: apps, branch: main, pushBranch: bot/x, messageTemplate: 'To {{.Tag}}'"), ""},
	} {
		t.Run(claim, func(t *testing.T) {
			err := imagePolicyPlugin().Validate(t.Context(), imagePolicyRequest("dev", "", imagePolicy(t, tc.spec), nil), nil)
			if (err == nil) != (tc.says == "") || err != nil && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}

	secret := imagePolicy(t, git("url: 'https://me:hunter2@git.example/a'"))
	if err := imagePolicyPlugin().Admit(t.Context(), imagePolicyRequest("dev", "", secret, nil), nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password in a URL: %v", err)
	}
}
