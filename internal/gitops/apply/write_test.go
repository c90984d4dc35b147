package apply

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/reconciler/delivery"
)

// scaled is a step by which a container gets so many replicas; before is negative for one that is new.
func scaled(t *testing.T, name string, before, after int) *step {
	t.Helper()

	document := func(n int) string {
		return fmt.Sprintf("{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: %s}, spec: {image: x, replicas: %d}}", name, n)
	}
	s := &step{item: one(t, document(after)), action: delivery.Created, want: object(t, document(after))}
	s.resource = dogkerVersion.WithResource("tenantcontainers")
	if before >= 0 {
		s.action, s.live = delivery.Configured, object(t, document(before))
	}

	return s
}

func TestFits(t *testing.T) {
	const replicas, count = "dogker.io/replicas", "count/tenantcontainers.dogker.io"
	quota := func(name corev1.ResourceName, hard, used string) *corev1.ResourceQuota {
		return &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{name: resource.MustParse(hard)}, Used: corev1.ResourceList{name: resource.MustParse(used)},
		}}
	}

	for name, tc := range map[string]struct {
		reason string
		quota  *corev1.ResourceQuota
		steps  []*step
		want   string
	}{
		"Fits":     {"What fits exactly fits.", quota(replicas, "5", "2"), []*step{scaled(t, "a", -1, 2), scaled(t, "b", 1, 2)}, ""},
		"Together": {"What fits alone and not together is refused, as the last of them.", quota(replicas, "5", "2"), []*step{scaled(t, "a", -1, 2), scaled(t, "b", -1, 2)}, "app.yaml:1: TenantContainer/b: exceeded quota: q, all objects together need dogker.io/replicas=4 more, used: 2, limited: 5; what a commit removes makes room after what it adds"},
		"Shifted":  {"What one gives back another may have.", quota(replicas, "5", "5"), []*step{scaled(t, "a", 1, 4), scaled(t, "b", 4, 1)}, ""},
		"Over":     {"Who is over a lowered quota may still take less.", quota(replicas, "2", "5"), []*step{scaled(t, "a", 5, 4)}, ""},
		"OverSame": {"Or as much.", quota(replicas, "2", "5"), []*step{scaled(t, "a", 3, 4), scaled(t, "b", 2, 1)}, ""},
		"Counted":  {"New objects are counted, changed ones are not.", quota(count, "2", "1"), []*step{scaled(t, "a", -1, 0), scaled(t, "b", -1, 0), scaled(t, "c", 1, 9)}, "app.yaml:1: TenantContainer/b: exceeded quota: q, all objects together need count/tenantcontainers.dogker.io=2 more, used: 1, limited: 2; what a commit removes makes room after what it adds"},
		"Unknown":  {"What nobody here can count is the API's to refuse.", quota("pods", "0", "0"), []*step{scaled(t, "a", -1, 1)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fits(tc.quota, tc.steps).Error(); got != tc.want {
				t.Errorf("%s\ngot  %s\nwant %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestStages(t *testing.T) {
	steps := []*step{
		scaled(t, "grows", 1, 2), scaled(t, "shrinks", 2, 1), scaled(t, "new", -1, 1),
		{item: one(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}"), action: delivery.Unchanged},
		{item: one(t, "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}}"), action: delivery.Created},
		{item: one(t, "{apiVersion: dogker.io/v1alpha1, kind: VolumeSnapshot, metadata: {name: monday}}"), action: delivery.Created},
		{item: one(t, "{apiVersion: dogker.io/v1alpha1, kind: Volume, metadata: {name: data}}"), action: delivery.Created},
	}

	var got [][]string
	for _, stage := range stages(steps) {
		var names []string
		for _, s := range stage {
			names = append(names, s.id.Name)
		}
		got = append(got, names)
	}

	want := [][]string{{"reader"}, {"settings", "data"}, {"shrinks"}, {"grows", "new", "monday"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what others need comes first, and what gives room back before what takes it -want +got\n%s", diff)
	}

	class, volume := *steps[0].item, *steps[0].item
	class.id.Kind, volume.id.Kind = "VolumeClass", "Volume"
	if rank(&class) >= rank(&volume) {
		t.Error("a Volume whose class comes later is refused")
	}
}

func TestJudgeHealth(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, status string
		ready, failed  bool
		why            string
	}{
		"Ready":     {reason: "Its word counts.", status: "{observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}", ready: true},
		"Unseen":    {reason: "An object of ours that nobody has looked at yet is not one without a state.", status: "{}", why: "has not been looked at yet"},
		"Outdated":  {reason: "What it says of an older generation is not about this commit.", status: "{observedGeneration: 1, conditions: [{type: Ready, status: 'True'}]}", why: "is not ready: TenantContainer generation is 2, but latest observed generation is 1"},
		"Not":       {reason: "It says itself why.", status: "{observedGeneration: 2, conditions: [{type: Ready, status: 'False', reason: ImagePullFailed, message: No such image}]}", why: "is not ready: ImagePullFailed: No such image"},
		"Stalled":   {reason: "Waiting does not help.", status: "{observedGeneration: 2, conditions: [{type: Ready, status: 'False', reason: Bad, message: m}, {type: Stalled, status: 'True', reason: Bad, message: m}]}", failed: true, why: "has failed: Bad: m"},
		"Rolling":   {reason: "It is being done.", status: "{observedGeneration: 2, conditions: [{type: Ready, status: 'True'}, {type: Reconciling, status: 'True', reason: R, message: rolling}]}", why: "is not ready: rolling"},
		"Malformed": {reason: "A status that is none is not Ready.", status: "{observedGeneration: x}", why: "has a status that cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			live := object(t, "{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: web, generation: 2}, status: "+tc.status+"}")
			ready, failed, why := judgeHealth(one(t, web), live)
			if ready != tc.ready || failed != tc.failed || why != tc.why {
				t.Errorf("%s\ngot ready %v, failed %v, %q", tc.reason, ready, failed, why)
			}
		})
	}

	if _, _, why := judgeHealth(one(t, web), nil); why != "does not exist any more" {
		t.Errorf("what is gone %q", why)
	}
	if ready, _, _ := judgeHealth(one(t, "{apiVersion: v1, kind: Secret, metadata: {name: a}}"), nil); !ready {
		t.Error("a Secret has no state")
	}
}

// managed gives an object an entry of managed fields.
func managed(u *unstructured.Unstructured, manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) *unstructured.Unstructured {
	u.SetManagedFields(append(u.GetManagedFields(), metav1.ManagedFieldsEntry{
		Manager: manager, Operation: operation, Subresource: subresource, APIVersion: u.GetAPIVersion(), FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(fields),
	}))

	return u
}

func TestStray(t *testing.T) {
	const update, apply = metav1.ManagedFieldsOperationUpdate, metav1.ManagedFieldsOperationApply
	mine := func(t *testing.T) *unstructured.Unstructured {
		return managed(object(t, web), FieldManager, apply, "", `{"f:spec":{"f:image":{},"f:replicas":{}}}`)
	}
	for name, tc := range map[string]struct {
		reason, manager, subresource, fields string
		want                                 bool
	}{
		"Added":     {"What was added by hand goes.", "kubectl-edit", "", `{"f:spec":{"f:paused":{}}}`, true},
		"Changed":   {"What the repository declares is ours already.", "kubectl-edit", "", `{"f:spec":{"f:image":{}}}`, false},
		"Annotated": {"Annotations tell controllers what to do now.", "kubectl-annotate", "", `{"f:metadata":{"f:annotations":{".":{},"f:dogker.io/suspend":{}}}}`, false},
		"Scaled":    {"Scaling goes by a subresource.", "kubectl", "scale", `{"f:spec":{"f:paused":{}}}`, false},
		"ByAnother": {"Controllers are no people.", "autoscaler", "", `{"f:spec":{"f:paused":{}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			u := managed(mine(t), tc.manager, update, tc.subresource, tc.fields)
			if got := !stray(u).Empty(); got != tc.want {
				t.Errorf("%s Got %v.", tc.reason, got)
			}
		})
	}
}

func TestPayload(t *testing.T) {
	const update = metav1.ManagedFieldsOperationUpdate
	live := func(t *testing.T) *unstructured.Unstructured {
		return object(t, "{apiVersion: dogker.io/v1alpha1, kind: TenantContainer, metadata: {name: web}, spec: {image: shop, replicas: 7}}")
	}
	for name, tc := range map[string]struct {
		reason string
		live   *unstructured.Unstructured
		rule   delivery.IgnoreRule
		want   any
	}{
		"New":        {"What is not there yet gets what the repository says.", nil, delivery.IgnoreRule{Paths: []string{"/spec/replicas"}}, int64(2)},
		"OursAlone":  {"What only we own is kept as it is: left out, it would be removed.", live(t), delivery.IgnoreRule{Paths: []string{"/spec/replicas"}}, int64(7)},
		"Theirs":     {"What somebody else owns is his.", managed(live(t), "autoscaler", update, "scale", `{"f:spec":{"f:replicas":{}}}`), delivery.IgnoreRule{Paths: []string{"/spec/replicas"}}, nil},
		"OtherKind":  {"A rule for another kind is none.", live(t), delivery.IgnoreRule{Kind: "ConfigMap", Paths: []string{"/spec/replicas"}}, int64(2)},
		"OtherName":  {"Nor one for another name.", live(t), delivery.IgnoreRule{Name: "db", Paths: []string{"/spec/replicas"}}, int64(2)},
		"Elsewhere":  {"Nor one for another field.", live(t), delivery.IgnoreRule{Paths: []string{"/spec/replica", "/data/x~1y"}}, int64(2)},
		"OwnsAround": {"Who owns the map owns what is in it.", managed(live(t), "x", update, "", `{"f:spec":{}}`), delivery.IgnoreRule{Paths: []string{"/spec/replicas"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := &visit{request: delivery.Request{Ignore: []delivery.IgnoreRule{tc.rule}}}
			it := one(t, web)
			got, _, _ := unstructured.NestedFieldNoCopy(v.payload(it, tc.live).Object, "spec", "replicas")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
			if n, _, _ := unstructured.NestedInt64(it.object.Object, "spec", "replicas"); n != 2 {
				t.Error("what the repository says was changed")
			}
		})
	}
}

func TestHopeless(t *testing.T) {
	refused := scaled(t, "refused", 1, 5)
	refused.early = refused.failure(delivery.ReasonQuotaExceeded, "exceeded quota")
	some := []corev1.ResourceQuota{{}}

	for name, tc := range map[string]struct {
		reason string
		quotas []corev1.ResourceQuota
		steps  []*step
		want   int
	}{
		"Alone":     {"Nothing makes room for it.", some, []*step{refused, scaled(t, "a", 1, 2)}, 1},
		"MadeRoom":  {"What another gives back it may have.", some, []*step{refused, scaled(t, "a", 4, 1)}, 0},
		"Unseen":    {"Who may not read quotas cannot know that.", nil, []*step{refused, scaled(t, "a", 4, 1)}, 1},
		"NoRefusal": {"Without a refusal there is none.", some, []*step{scaled(t, "a", 1, 2)}, 0},
	} {
		if got := hopeless(tc.quotas, tc.steps); len(got) != tc.want {
			t.Errorf("%s: %s Got %v.", name, tc.reason, got)
		}
	}
}
