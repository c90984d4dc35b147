package gitpreview

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/source"
)

const branchA, branchB, branchC = "refs/heads/a", "refs/heads/b", "refs/heads/c"

func named(name string) types.NamespacedName { return types.NamespacedName{Name: name} }

// TestLifeOfAPreview goes from a push to the deletion of the branch.
func TestLifeOfAPreview(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1", "refs/heads/main", "1")
	w.settle()
	w.rests()

	if diff := cmp.Diff([]string{"acme-a"}, w.previews()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}

	var made v1alpha1.Tenant
	w.get(named("acme-a"), &made)

	want := v1alpha1.TenantSpec{
		PlanName: "preview", DisplayName: "acme: a", DeletionPolicy: v1alpha1.DeletionDelete, Contacts: tenant("acme").Spec.Contacts,
		Members: []v1alpha1.Member{
			{Kind: v1alpha1.MemberUser, Name: "ada", Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}},
			{Kind: v1alpha1.MemberUser, Name: "system:serviceaccount:acme:robot", Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}},
		},
	}
	if diff := cmp.Diff(want, made.Spec); diff != "" {
		t.Errorf("the preview has its tenant's people and its plan's previews' plan (-want +got):\n%s", diff)
	}

	var sync gitopsv1.GitSync
	if !w.get(types.NamespacedName{Namespace: "acme-a", Name: "shop"}, &sync) {
		t.Fatal("it has no GitSync")
	}

	if sync.Spec.Ref.Branch != "a" || !sync.Spec.Prune || sync.Spec.Path != "deploy" || sync.Spec.PostBuild.Substitute["PREVIEW_NAMESPACE"] != "acme-a" ||
		sync.Spec.ServiceAccountName != gitopsv1.AccountName || sync.Annotations[gitopsv1.AnnotationRequestedAt] != "1" {
		t.Errorf("its GitSync is %+v with %v", sync.Spec, sync.Annotations)
	}

	edit(w, client.ObjectKeyFromObject(&sync), &sync, func(*gitopsv1.GitSync) {})
	conditions.MarkReady(&sync, gitopsv1.ReasonReconciliationSucceeded, "Applied")
	sync.Status.LastHandledReconcileAt = "1"
	w.must(w.store.Status().Update(t.Context(), &sync))
	w.settle()

	expires := &metav1.Time{Time: epoch.Add(time.Hour)}
	ready := gitopsv1.Preview{Ref: branchA, Commit: "1", Tenant: "acme-a", Phase: gitopsv1.PreviewReady, Expires: expires}

	g := w.status()
	if diff := cmp.Diff([]gitopsv1.Preview{ready}, g.Status.Previews, cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) })); diff != "" || !conditions.IsTrue(g, conditions.Ready) {
		t.Errorf("%v (-want +got):\n%s", g.Status.Conditions, diff)
	}

	w.server.push(branchA, "2")
	w.later(2 * time.Minute)
	w.get(client.ObjectKeyFromObject(&sync), &sync)

	if sync.Annotations[gitopsv1.AnnotationRequestedAt] != "2" || w.phases()[0] != "acme-a Progressing" {
		t.Errorf("a commit is told at once: %v, %v", sync.Annotations, w.phases())
	}

	w.server.push(branchA, "")
	w.later(2 * time.Minute)
	w.rests()

	if got := w.previews(); len(got) > 0 || w.status().Status.Active != 0 {
		t.Errorf("its branch is gone, and there is %v", got)
	}
}

// TestTime: a preview lasts as long as it may after its last commit, stays away, and comes back with another.
func TestTime(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")

	if after := w.settle().RequeueAfter; after > time.Minute {
		t.Errorf("the repository is looked at after %v", after)
	}

	w.later(59 * time.Minute)

	if got := w.previews(); len(got) != 1 {
		t.Fatalf("a minute too early there is %v", got)
	}

	w.restart()
	w.later(time.Minute)
	w.later(time.Minute)

	if got := w.previews(); len(got) > 0 {
		t.Fatalf("its time is over, and there is %v", got)
	}

	w.restart()
	w.later(time.Hour)
	w.rests()

	g := w.status()
	if got := w.previews(); len(got) > 0 || len(g.Status.Expired) != 1 || conditions.Get(g, conditions.Ready).Reason != gitopsv1.ReasonFollowing {
		t.Fatalf("it comes back by itself: %v, %+v", got, g.Status)
	}

	w.server.push(branchA, "2")
	w.later(2 * time.Minute)

	if got := w.previews(); len(got) != 1 || len(w.status().Status.Expired) > 0 {
		t.Errorf("another commit brings it back: %v", got)
	}
}

// TestLimits: what there is stays, others wait in line, and a name that somebody else has is nobody's preview.
func TestLimits(t *testing.T) {
	w := newWorld(t, tenant("acme-b"))
	w.server.push(branchA, "1", branchB, "1", branchC, "1", "refs/heads/d", "1")
	w.settle()
	w.rests()

	want := []string{"acme-a Progressing", "acme-c Progressing", "acme-d Waiting LimitReached", "acme-b Waiting NameTaken"}
	if diff := cmp.Diff(want, w.phases()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}

	if g := w.status(); conditions.Get(g, conditions.Ready).Reason != gitopsv1.ReasonLimitReached || g.Status.Waiting != 2 || g.Status.Active != 2 {
		t.Errorf("status is %+v", g.Status)
	}

	w.server.push(branchA, "", "refs/heads/0", "1")
	w.later(2 * time.Minute)

	if diff := cmp.Diff([]string{"acme-c", "acme-d"}, w.previews()); diff != "" {
		t.Errorf("who has waited is first (-want +got):\n%s", diff)
	}

	edit(w, named("small"), &v1alpha1.Plan{}, func(p *v1alpha1.Plan) { p.Spec.Previews = nil })
	w.later(2 * time.Minute)

	if g := w.status(); conditions.Get(g, conditions.Stalled).Reason != gitopsv1.ReasonPreviewsNotAllowed || len(w.previews()) != 2 {
		t.Errorf("a plan without previews lets no more in, and takes none away: %v, %+v", w.previews(), g.Status.Conditions)
	}

	w.later(2 * time.Hour)
	w.settle()
	w.later(time.Minute)

	if got := w.previews(); len(got) > 0 {
		t.Errorf("their time ends all the same: %v", got)
	}
}

// TestOutages: a repository that cannot be asked, or says too little, takes nothing away.
func TestOutages(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")
	w.settle()

	w.server.err = &source.Error{Reason: source.ReasonGitOperationFailed, Message: "git.example: connection refused", Transient: true}
	w.restart()
	w.later(2 * time.Minute)

	g := w.status()
	if ready := conditions.Get(g, conditions.Ready); ready.Reason != "GitOperationFailed" || ready.Message != "git.example: connection refused" || len(w.previews()) != 1 {
		t.Errorf("%+v, %v", ready, w.previews())
	}

	w.server.err, w.server.cut = nil, []source.RefPattern{"refs/heads/*"}
	w.server.push(branchA, "")
	w.later(20 * time.Minute)

	if len(w.previews()) != 1 {
		t.Error("a list that was cut takes something away")
	}

	w.server.cut = nil
	w.server.err = &source.Error{Reason: source.ReasonURLInvalid, Field: "url", Message: "is none"}
	w.later(20 * time.Minute)

	if stalled := conditions.Get(w.status(), conditions.Stalled); stalled == nil || stalled.Reason != "URLInvalid" {
		t.Errorf("what only a change can mend: %+v", stalled)
	}
}

// TestTenantAndPreviews: members, suspension and the end of a tenant are those of its previews.
func TestTenantAndPreviews(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")
	w.settle()

	var p v1alpha1.Tenant

	edit(w, named("acme"), &v1alpha1.Tenant{}, func(t *v1alpha1.Tenant) {
		t.Spec.Members = t.Spec.Members[:1]
		metav1.SetMetaDataAnnotation(&t.ObjectMeta, v1alpha1.AnnotationBillingSuspend, "unpaid")
	})
	w.settle()
	w.get(named("acme-a"), &p)

	if len(p.Spec.Members) != 1 || p.Annotations[v1alpha1.AnnotationSuspend] == "" {
		t.Errorf("members %v, annotations %v", p.Spec.Members, p.Annotations)
	}

	edit(w, named("acme"), &v1alpha1.Tenant{}, func(t *v1alpha1.Tenant) { t.Annotations = nil })
	edit(w, named("acme-a"), &p, func(p *v1alpha1.Tenant) { p.Spec.Members, p.Spec.PlanName = nil, "large" })
	w.settle()
	w.get(named("acme-a"), &p)

	if len(p.Spec.Members) != 1 || p.Annotations[v1alpha1.AnnotationSuspend] != "" || p.Spec.PlanName != "preview" {
		t.Errorf("changed by hand, it is %+v, %v", p.Spec, p.Annotations)
	}

	edit(w, named("acme"), &v1alpha1.Tenant{}, func(t *v1alpha1.Tenant) {
		t.Finalizers, t.Spec.DeletionPolicy = []string{"test/hold"}, v1alpha1.DeletionDelete
		metav1.SetMetaDataAnnotation(&t.ObjectMeta, v1alpha1.AnnotationDeleteData, t.Name)
	})
	w.must(w.store.Delete(t.Context(), tenant("acme")))
	w.pass()
	w.tenants()

	if got := w.previews(); len(got) > 0 {
		t.Errorf("the tenant goes, and there is %v", got)
	}
}

// TestCopies: what a preview needs is copied, follows, and goes; strangers get none of it.
func TestCopies(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "db"}, Type: corev1.SecretTypeBasicAuth, Data: map[string][]byte{"password": []byte("1")}}
	token := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "token"}, Type: corev1.SecretTypeServiceAccountToken}
	values := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "values"}, Data: map[string]string{"a": "b"}}

	w := newWorld(t, secret, token, values)
	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) {
		g.Spec.Copy = []gitopsv1.CopyReference{{Kind: "Secret", Name: "db"}, {Kind: "ConfigMap", Name: "values"}}
		g.Spec.PullRequests = &gitopsv1.PullRequestSelector{From: 1}
	})
	w.server.push(branchA, "1", "refs/pull/3/head", "1")
	w.settle()
	w.rests()

	var (
		s corev1.Secret
		m corev1.ConfigMap
	)

	copied := types.NamespacedName{Namespace: "acme-a", Name: "db"}
	if !w.get(copied, &s) || s.Type != corev1.SecretTypeBasicAuth || string(s.Data["password"]) != "1" || !w.get(types.NamespacedName{Namespace: "acme-a", Name: "values"}, &m) {
		t.Fatalf("copied are %+v, %+v", s, m)
	}

	if w.get(types.NamespacedName{Namespace: "acme-pr-3", Name: "db"}, &s) {
		t.Error("a pull request gets a Secret, and nobody has allowed that")
	}

	var sync gitopsv1.GitSync
	if !w.get(types.NamespacedName{Namespace: "acme-pr-3", Name: "shop"}, &sync) || sync.Spec.Ref.Name != "refs/pull/3/head" {
		t.Errorf("the pull request is followed by %+v", sync.Spec.Ref)
	}

	edit(w, client.ObjectKeyFromObject(secret), secret, func(s *corev1.Secret) { s.Data["password"] = []byte("2") })
	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) {
		g.Generation++
		g.Spec.Copy = []gitopsv1.CopyReference{{Kind: "Secret", Name: "db"}}
	})
	w.settle()

	if !w.get(copied, &s) || string(s.Data["password"]) != "2" || w.get(types.NamespacedName{Namespace: "acme-a", Name: "values"}, &m) {
		t.Errorf("after a change copied are %+v, %+v", s, m)
	}

	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) {
		g.Generation++
		g.Spec.Copy = []gitopsv1.CopyReference{{Kind: "Secret", Name: "token"}, {Kind: "Secret", Name: "none"}}
	})
	w.settle()

	if diff := cmp.Diff([]string{"acme-a Failed SecretNotFound", "acme-pr-3 Progressing"}, w.phases()); diff != "" {
		t.Errorf("what is missing is said where it is missing (-want +got):\n%s", diff)
	}

	if w.get(types.NamespacedName{Namespace: "acme-a", Name: "token"}, &s) {
		t.Error("a token of a ServiceAccount was copied")
	}
}

// TestPorts: each preview has a port of its own, for as long as there are.
func TestPorts(t *testing.T) {
	w := newWorld(t)
	edit(w, named("small"), &v1alpha1.Plan{}, func(p *v1alpha1.Plan) {
		p.Spec.Previews.PortRange, p.Spec.Previews.Max = &v1alpha1.PortRange{From: 30000, To: 30001}, 3
	})
	w.server.push(branchA, "1", branchB, "1", branchC, "1")
	w.settle()
	w.rests()

	ports := map[string]int32{}
	for _, p := range w.status().Status.Previews {
		ports[p.Tenant] = p.Port
	}

	if diff := cmp.Diff(map[string]int32{"acme-a": 30000, "acme-b": 30001, "acme-c": 0}, ports); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	var sync gitopsv1.GitSync
	w.get(types.NamespacedName{Namespace: "acme-b", Name: "shop"}, &sync)

	if g := w.status(); sync.Spec.PostBuild.Substitute["PREVIEW_PORT"] != "30001" || conditions.Get(g, conditions.Ready).Reason != gitopsv1.ReasonPortsExhausted {
		t.Errorf("%v, %v", sync.Spec.PostBuild, g.Status.Conditions)
	}
}

// TestNoTenant: who is none, or is a preview, has no previews.
func TestNoTenant(t *testing.T) {
	w := newWorld(t)
	edit(w, named("acme"), &v1alpha1.Tenant{}, func(t *v1alpha1.Tenant) { t.Labels = map[string]string{gitopsv1.LabelPreviewOf: "globex"} })
	w.server.push(branchA, "1")
	w.settle()

	if stalled := conditions.Get(w.status(), conditions.Stalled); stalled == nil || stalled.Reason != gitopsv1.ReasonNoTenant || len(w.previews()) > 0 || len(w.server.asked) > 0 {
		t.Errorf("a preview has previews: %v, %+v", w.previews(), stalled)
	}

	w.must(w.store.Delete(t.Context(), tenant("acme")))
	w.restart()
	w.settle()

	if stalled := conditions.Get(w.status(), conditions.Stalled); stalled == nil || stalled.Reason != gitopsv1.ReasonNoTenant {
		t.Errorf("got %+v", stalled)
	}
}

// TestSuspend and TestRequest are about what a person asks for.
func TestSuspend(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")
	w.settle()
	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) { g.Spec.Suspend, g.Generation = true, 2 })

	asked := len(w.server.asked)

	phases := w.phases()

	w.server.push(branchA, "")
	w.later(30 * time.Minute)
	w.rests()

	if diff := cmp.Diff(phases, w.phases()); diff != "" {
		t.Errorf("previews stand as they stood (-want +got):\n%s", diff)
	}

	if len(w.previews()) != 1 || len(w.server.asked) != asked || conditions.Get(w.status(), conditions.Ready).Reason != gitopsv1.ReasonSuspended {
		t.Errorf("it does not rest: %v", w.previews())
	}
}

// TestSuspendIsNoWayOut: who lets a GitPreview rest neither gets more time than the plan gives, nor runs on unpaid, nor keeps
// members that the tenant has no more.
func TestSuspendIsNoWayOut(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")
	w.settle()
	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) { g.Spec.Suspend, g.Generation = true, 2 })
	w.settle()

	asked := len(w.server.asked)

	edit(w, named("acme"), &v1alpha1.Tenant{}, func(t *v1alpha1.Tenant) {
		t.Spec.Members = t.Spec.Members[:1]
		metav1.SetMetaDataAnnotation(&t.ObjectMeta, v1alpha1.AnnotationBillingSuspend, "unpaid")
	})
	w.settle()

	var p v1alpha1.Tenant

	w.get(named("acme-a"), &p)

	if len(p.Spec.Members) != 1 || p.Annotations[v1alpha1.AnnotationSuspend] == "" {
		t.Errorf("members %v, annotations %v", p.Spec.Members, p.Annotations)
	}

	if after := w.pass().RequeueAfter; after <= 0 {
		t.Error("nobody looks again when its time is over")
	}

	w.later(100 * 24 * time.Hour)

	if got := w.previews(); len(got) > 0 || len(w.server.asked) != asked {
		t.Errorf("after its time there is %v, and the repository was asked %d times", got, len(w.server.asked)-asked)
	}

	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) { g.Spec.Suspend, g.Generation = false, 3 })
	w.settle()

	if got := w.previews(); len(got) > 0 {
		t.Errorf("what had its time comes back: %v", got)
	}
}

func TestRequest(t *testing.T) {
	w := newWorld(t)
	w.server.push(branchA, "1")
	w.settle()

	asked := len(w.server.asked)
	w.rests()

	if len(w.server.asked) != asked {
		t.Errorf("the repository is asked %d times within its interval", len(w.server.asked)-asked)
	}

	w.server.push(branchB, "1")
	edit(w, shop, &gitopsv1.GitPreview{}, func(g *gitopsv1.GitPreview) {
		metav1.SetMetaDataAnnotation(&g.ObjectMeta, gitopsv1.AnnotationRequestedAt, "now")
	})
	w.settle()

	if len(w.server.asked) != asked+1 || len(w.previews()) != 2 || w.status().Status.LastHandledReconcileAt != "now" {
		t.Errorf("asked %d times, %v", len(w.server.asked)-asked, w.previews())
	}
}
