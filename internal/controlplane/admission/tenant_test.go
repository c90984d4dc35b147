package admission

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	core "k8s.io/kubernetes/pkg/apis/core"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

// directory is one in which every namespace belongs to the tenant that it has a policy for, or to nobody.
type directory struct {
	policy *policy.Policy
	err    error
	taken  field.ErrorList
	claims *int // that there are
	// reader knows what is about money.
	reader client.Reader
}

func (d directory) Tenant(_ context.Context, namespace string) (string, error) {
	if namespace == "default" {
		return "", d.err
	}

	return namespace, d.err
}

func (d directory) Reader() client.Reader { return d.reader }

func (d directory) Policy(context.Context, string) (policy.Policy, bool, error) {
	if d.policy == nil || d.err != nil {
		return policy.Policy{}, false, d.err
	}

	return *d.policy, true, nil
}

func (d directory) Taken(context.Context, *v1alpha1.TenantContainer, bool) (field.ErrorList, error) {
	return d.taken, nil
}

func (d directory) Claim(context.Context, *v1alpha1.TenantContainer, *v1alpha1.TenantContainer, bool) (func(), field.ErrorList, error) {
	*d.claims++

	return func() { *d.claims-- }, d.taken, nil
}

func restricted() directory {
	p := policy.Of(&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, &v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec:       v1alpha1.PlanSpec{ContainerMaxima: &v1alpha1.ContainerMaxima{Replicas: new(int32(3))}},
	})

	return directory{policy: &p}
}

func TestFillIn(t *testing.T) {
	const done = "spec: {mode: Replicated, replicas: 1, resources: {limits: {}, requests: {}}, security: {runAsUser: 65532, runAsGroup: 65532, capabilities: {drop: [ALL]}}}"
	cases := map[string]struct {
		reason    string
		now, old  string
		directory directory
		want      string
	}{
		"Tenant":       {reason: "A container of a tenant has what its profile demands.", directory: restricted(), now: "spec: {mode: Replicated}", want: done},
		"NoTenant":     {reason: "A namespace without tenant has the rules that it always had.", now: "spec: {mode: Replicated}", want: "spec: {mode: Replicated, replicas: 1}"},
		"UnchangedOld": {reason: "A container that was there before its tenant is not rolled because somebody labels it.", directory: restricted(), old: "spec: {mode: Replicated, replicas: 1}", now: "spec: {mode: Replicated, replicas: 1}", want: "spec: {mode: Replicated, replicas: 1}"},
		"ChangedOld":   {reason: "What changes is brought into order.", directory: restricted(), old: "spec: {mode: Replicated, replicas: 2}", now: "spec: {mode: Replicated, replicas: 1}", want: done},
		"Malformed":    {reason: "What has the wrong type is left for the schema.", directory: restricted(), now: "spec: {mode: Replicated, replicas: 1, security: root, resources: [1]}", want: "spec: {mode: Replicated, replicas: 1, security: root, resources: [1]}"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := plugin()
			p.directory = tc.directory
			now := container(t, tc.now)
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = container(t, tc.old)
			}
			for range 2 {
				if err := p.Admit(t.Context(), attributes(now, old, "", "ada"), nil); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(container(t, tc.want).Object["spec"], now.Object["spec"]); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	missing := directory{err: errors.New(`there is no Plan "small"`)}
	cases := map[string]struct {
		reason    string
		directory directory
		now, old  string
		refused   func(error) bool
		says      string
	}{
		"Root":       {reason: "The profile refuses root.", directory: restricted(), now: "spec: {security: {runAsUser: 0}}", refused: apierrors.IsInvalid, says: "spec.security.runAsUser: Invalid value: 0: refused by rule U1"},
		"RootBefore": {reason: "Who changes nothing of the spec is not stopped by what was there before.", directory: restricted(), now: "{}", old: "{}"},
		"BeingGone":  {reason: "What is being deleted can be let go.", directory: restricted(), old: "spec: {replicas: 1}", now: "metadata: {deletionTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {security: {runAsUser: 0}}"},
		"NoTenant":   {reason: "A namespace without tenant has no profile.", now: "spec: {security: {runAsUser: 0}}"},
		"NoPlan":     {reason: "What cannot be judged is refused.", directory: missing, now: "spec: {replicas: 1}", refused: apierrors.IsForbidden, says: `there is no Plan "small"`},
		"Taken":      {reason: "A port has one holder, tenant or not.", directory: directory{taken: field.ErrorList{field.Invalid(field.NewPath("spec"), 80, "taken")}}, now: "spec: {replicas: 1}", refused: apierrors.IsInvalid, says: "taken"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := plugin()
			p.directory = tc.directory
			var old *unstructured.Unstructured
			if tc.old != "" {
				old = container(t, tc.old)
			}
			err := p.Validate(t.Context(), attributes(container(t, tc.now), old, "", "ada"), nil)
			if tc.refused == nil && err != nil || tc.refused != nil && (!tc.refused(err) || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}
}

func TestJudgeScale(t *testing.T) {
	scale := func(n int32) *autoscalingv1.Scale {
		return &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: autoscalingv1.ScaleSpec{Replicas: n}}
	}
	p, _ := plugin()
	p.directory = restricted()
	ask := func(from, to int32) error {
		return p.Validate(t.Context(), admission.NewAttributesRecord(scale(to), scale(from), autoscalingv1.SchemeGroupVersion.WithKind("Scale"),
			"shop", "web", containerResource, "scale", admission.Update, nil, false, &user.DefaultInfo{Name: "ada"}), nil)
	}

	if err := ask(1, 3); err != nil {
		t.Errorf("three replicas were refused: %v", err)
	}
	if err := ask(1, 4); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.replicas: Invalid value: 4: refused by rule Q1, containerMaxima.replicas") {
		t.Errorf("four replicas got %v", err)
	}
	if err := ask(10, 9); err != nil {
		t.Errorf("whoever has too many can have fewer, but got %v", err)
	}
}

// TestAllotment: what is refused in the end keeps no port.
func TestAllotment(t *testing.T) {
	const publishing = "spec: {ports: [{containerPort: 80, publish: {mode: Host, port: 8080}}]}"
	now := container(t, publishing)
	taken := field.ErrorList{field.Invalid(field.NewPath("spec"), 8080, "taken")}
	dry := admission.NewAttributesRecord(now, nil, v1alpha1.GroupVersion.WithKind("TenantContainer"), "shop", "web", containerResource, "", admission.Create, nil, true, nil)

	for name, tc := range map[string]struct {
		reason     string
		attributes admission.Attributes
		taken      field.ErrorList
		charge     error
		claims     int
		refused    bool
	}{
		"New":       {reason: "A new container has its port.", attributes: attributes(now, nil, "", "ada"), claims: 1},
		"Dry":       {reason: "A dry run leaves nothing behind.", attributes: dry},
		"Unchanged": {reason: "What changes no spec claims nothing.", attributes: attributes(now, now, "", "ada")},
		"NoPort":    {reason: "What publishes nothing claims nothing.", attributes: attributes(container(t, "spec: {replicas: 1}"), nil, "", "ada")},
		"Taken":     {reason: "Of several ports of which one is taken, none is kept.", attributes: attributes(now, nil, "", "ada"), taken: taken, refused: true},
		"OverQuota": {reason: "What the quota refuses keeps no port: ports could be had without quota otherwise.", attributes: attributes(now, nil, "", "ada"), charge: errBoom, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			claims := 0
			p := &Allotment{directory: directory{claims: &claims, taken: tc.taken}, charge: func(context.Context, admission.Attributes, admission.ObjectInterfaces) error { return tc.charge }}

			err := p.Validate(t.Context(), tc.attributes, nil)
			if (err != nil) != tc.refused || claims != tc.claims {
				t.Errorf("%s\ngot error %v and %d claims, want %d", tc.reason, err, claims, tc.claims)
			}
		})
	}
}

func TestPlatform(t *testing.T) {
	tenant := func(annotations map[string]string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		u.SetAnnotations(annotations)

		return u
	}
	suspended := map[string]string{v1alpha1.AnnotationBillingSuspend: "Unpaid"}
	ask := func(now, old *unstructured.Unstructured, who string) error {
		return Platform{}.Validate(t.Context(), admission.NewAttributesRecord(now, old, v1alpha1.GroupVersion.WithKind("Tenant"), "", "acme",
			v1alpha1.GroupVersion.WithResource("tenants"), "", admission.Update, nil, false, &user.DefaultInfo{Name: who}), nil)
	}

	if err := ask(tenant(nil), tenant(suspended), "admin"); !apierrors.IsForbidden(err) {
		t.Errorf("an administrator resumed a tenant that billing has suspended: %v", err)
	}
	if err := ask(tenant(nil), tenant(suspended), "system:dogker:billing"); err != nil {
		t.Errorf("billing got %v", err)
	}

	secret := func(kind core.SecretType, who string) error {
		return Platform{}.Validate(t.Context(), admission.NewAttributesRecord(&core.Secret{Type: kind}, nil, core.SchemeGroupVersion.WithKind("Secret").GroupKind().WithVersion("v1"),
			"shop", "a", core.Resource("secrets").WithVersion("v1"), "", admission.Create, nil, false, &user.DefaultInfo{Name: who}), nil)
	}
	if err := secret(v1alpha1.SecretTypeRevisionEnv, "ada"); !apierrors.IsForbidden(err) {
		t.Errorf("a tenant made a Secret that no quota counts: %v", err)
	}
	if err := secret(v1alpha1.SecretTypeRevisionEnv, Loopback); err != nil {
		t.Errorf("the controller got %v", err)
	}
	if err := secret(core.SecretTypeOpaque, "ada"); err != nil {
		t.Errorf("a Secret of a tenant got %v", err)
	}
}
