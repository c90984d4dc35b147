package gitpreview

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/source"
)

var (
	epoch   = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	errBoom = errors.New("boom")
	shop    = types.NamespacedName{Namespace: "acme", Name: "shop"}
)

// world is an API server, a repository, and somebody who makes tenants.
type world struct {
	t      *testing.T
	store  client.WithWatch
	server *server
	api    client.Client
	now    time.Time
	kind   *Controller
	loop   *engine.Engine[*gitopsv1.GitPreview]

	// writes are those that got through; fail makes one fail that it is asked about.
	writes []string
	fail   func(verb string, o client.Object) error
}

// server is the Git server.
type server struct {
	mu    sync.Mutex
	refs  map[string]string
	cut   []source.RefPattern
	err   error
	asked []source.RefsRequest
}

// Refs implements source.Lister.
func (s *server) Refs(_ context.Context, r source.RefsRequest) (source.Refs, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.asked = append(s.asked, r)

	if s.err != nil {
		return source.Refs{}, s.err
	}

	all := make([]source.Tip, 0, len(s.refs))
	for _, name := range slices.Sorted(maps.Keys(s.refs)) {
		all = append(all, source.Tip{Name: name, Commit: s.refs[name]})
	}

	out := r.OrDefault().Select(all)
	out.Cut = append(out.Cut, s.cut...)

	return out, nil
}

func (s *server) push(pairs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			delete(s.refs, pairs[i])
		} else {
			s.refs[pairs[i]] = pairs[i+1]
		}
	}
}

// accounts reads what is there, and only as the account that may.
type accounts struct{ store client.Client }

func (a accounts) Secret(ctx context.Context, account types.NamespacedName, name string) (*corev1.Secret, error) {
	var s corev1.Secret

	return &s, a.read(ctx, account, name, &s)
}

func (a accounts) ConfigMap(ctx context.Context, account types.NamespacedName, name string) (*corev1.ConfigMap, error) {
	var m corev1.ConfigMap

	return &m, a.read(ctx, account, name, &m)
}

func (a accounts) read(ctx context.Context, account types.NamespacedName, name string, into client.Object) error {
	if account.Name != gitopsv1.AccountName {
		return errBoom
	}

	return a.store.Get(ctx, client.ObjectKey{Namespace: account.Namespace, Name: name}, into)
}

// newWorld has the tenant acme with a plan that allows two previews, and a GitPreview of all branches.
func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	w := &world{t: t, now: epoch, server: &server{refs: map[string]string{}}}
	w.store = fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&gitopsv1.GitPreview{}, &v1alpha1.Tenant{}, &gitopsv1.GitSync{}).
		WithObjects(tenant("acme"), plan(), gitPreview()).WithObjects(objects...).Build()
	w.api = interceptor.NewClient(w.store, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return w.write("create", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return w.write("patch", o, func() error { return c.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return w.write("delete", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return w.write("status", o, func() error { return c.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	})
	w.restart()

	return w
}

func (w *world) write(verb string, o client.Object, do func() error) error {
	if w.fail != nil {
		if err := w.fail(verb, o); err != nil {
			return err
		}
	}

	if err := do(); err != nil {
		return err
	}

	w.writes = append(w.writes, verb+" "+o.GetNamespace()+"/"+o.GetName())

	return nil
}

// restart loses all that a process keeps in memory.
func (w *world) restart() {
	if w.kind != nil {
		w.kind.listings.stop()
	}

	w.kind = New(w.api, w.api, accounts{w.store}, w.server, Options{Now: func() time.Time { return w.now }, Roll: func() float64 { return 0.5 }})
	w.loop = engine.New(w.api, w.kind, engine.Options{
		Name: Name, Finalizer: gitopsv1.FinalizerGitPreview, Strict: true, Jitter: func() float64 { return 0 },
	})
}

// pass runs one, and waits for the answer of a server that it has asked.
func (w *world) pass() reconcile.Result {
	w.t.Helper()

	result, err := w.loop.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: shop})
	if err != nil {
		w.t.Fatal(err)
	}

	w.kind.listings.busy.Wait()

	for len(w.kind.listings.wakes) > 0 {
		<-w.kind.listings.wakes
	}

	return result
}

// settle runs passes, with whoever makes tenants, until nothing is written any more.
func (w *world) settle() reconcile.Result {
	w.t.Helper()

	var result reconcile.Result

	for range 50 {
		before := len(w.writes)
		w.pass()
		result = w.pass()

		if !w.tenants() && len(w.writes) == before {
			return result
		}
	}

	w.t.Fatalf("it does not come to rest: %v", w.writes[max(0, len(w.writes)-10):])

	return result
}

// tenants is the controller of tenants as far as previews see it. It says whether it has done anything.
func (w *world) tenants() (worked bool) {
	w.t.Helper()

	var list v1alpha1.TenantList
	if err := w.store.List(w.t.Context(), &list); err != nil {
		w.t.Fatal(err)
	}

	for i := range list.Items {
		t := &list.Items[i]

		switch {
		case !t.DeletionTimestamp.IsZero():
			w.empty(t)

			worked = true
		case !conditions.IsTrue(t, conditions.Ready):
			controllerutil.AddFinalizer(t, v1alpha1.FinalizerTenant)
			w.must(w.store.Update(w.t.Context(), t))

			t.Status.Namespace = t.Name
			conditions.MarkReady(t, v1alpha1.ReasonProvisioned, "Everything is in place")
			w.must(w.store.Status().Update(w.t.Context(), t))

			worked = true
		}
	}

	return worked
}

// empty lets a Tenant go that may be deleted, with all that is in its namespace.
func (w *world) empty(t *v1alpha1.Tenant) {
	w.t.Helper()

	if t.Labels[gitopsv1.LabelPreviewUID] != "" && (t.Spec.DeletionPolicy != v1alpha1.DeletionDelete || t.Annotations[v1alpha1.AnnotationDeleteData] != t.Name) {
		w.t.Errorf("tenant %q is deleted and protected", t.Name)
	}

	for _, o := range []client.Object{&gitopsv1.GitSync{}, &corev1.Secret{}, &corev1.ConfigMap{}} {
		w.must(w.store.DeleteAllOf(w.t.Context(), o, client.InNamespace(t.Name)))
	}

	controllerutil.RemoveFinalizer(t, v1alpha1.FinalizerTenant)
	w.must(w.store.Update(w.t.Context(), t))
}

func (w *world) must(err error) {
	w.t.Helper()

	if err != nil {
		w.t.Fatal(err)
	}
}

// rests demands that looking again writes nothing.
func (w *world) rests() {
	w.t.Helper()

	before := len(w.writes)
	for range 3 {
		w.pass()
	}

	if more := w.writes[before:]; len(more) > 0 {
		w.t.Errorf("at rest there are writes: %v", more)
	}
}

// later lets time pass, and the repository be looked at.
func (w *world) later(d time.Duration) {
	w.t.Helper()

	w.now = w.now.Add(d)
	w.settle()
}

func (w *world) get(key types.NamespacedName, into client.Object) bool {
	w.t.Helper()

	err := w.store.Get(w.t.Context(), key, into)
	w.must(client.IgnoreNotFound(err))

	return err == nil
}

func (w *world) status() *gitopsv1.GitPreview {
	w.t.Helper()

	var g gitopsv1.GitPreview
	if !w.get(shop, &g) {
		w.t.Fatal("the GitPreview is gone")
	}

	check.Status(w.t, &g)

	return &g
}

// edit changes an object as somebody else does.
func edit[T client.Object](w *world, key types.NamespacedName, o T, change func(T)) {
	w.t.Helper()

	if !w.get(key, o) {
		w.t.Fatalf("there is no %T %q", o, key)
	}

	change(o)
	w.must(w.store.Update(w.t.Context(), o))
}

// previews are the names of Tenants that are some GitPreview's, sorted.
func (w *world) previews() []string {
	w.t.Helper()

	var list v1alpha1.TenantList
	w.must(w.store.List(w.t.Context(), &list, client.HasLabels{gitopsv1.LabelPreviewUID}))

	out := []string{}
	for i := range list.Items {
		out = append(out, list.Items[i].Name)
	}

	slices.Sort(out)

	return out
}

// phases are those in status: "acme-a Ready".
func (w *world) phases() []string {
	w.t.Helper()

	out := []string{}

	for _, p := range w.status().Status.Previews {
		line := p.Tenant + " " + string(p.Phase)
		if p.Reason != "" {
			line += " " + p.Reason
		}

		out = append(out, line)
	}

	return out
}

func tenant(name string) *v1alpha1.Tenant {
	t := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Generation: 1}}
	t.Spec.PlanName = "small"
	t.Spec.Contacts = []v1alpha1.Contact{{Email: "ada@example.test"}}
	t.Spec.Members = []v1alpha1.Member{
		{Kind: v1alpha1.MemberUser, Name: "ada", Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}},
		{Kind: v1alpha1.MemberServiceAccount, Name: "robot", Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}},
	}

	return t
}

func plan() *v1alpha1.Plan {
	p := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}}
	p.Spec.Previews = &v1alpha1.PreviewRules{PlanName: "preview", Max: 2, MaxTTL: metav1.Duration{Duration: 24 * time.Hour}}

	return p
}

func gitPreview() *gitopsv1.GitPreview {
	g := &gitopsv1.GitPreview{ObjectMeta: metav1.ObjectMeta{Namespace: shop.Namespace, Name: shop.Name, UID: "uid-shop", Generation: 1}}
	g.Spec = gitopsv1.GitPreviewSpec{
		URL: "https://git.example/shop", Branches: &gitopsv1.BranchSelector{Include: []string{"**"}, Exclude: []string{"main"}},
		TTL: metav1.Duration{Duration: time.Hour}, Interval: metav1.Duration{Duration: time.Minute}, ServiceAccountName: gitopsv1.AccountName,
		Template: gitopsv1.PreviewTemplate{Path: "deploy", Interval: metav1.Duration{Duration: 10 * time.Minute}, Timeout: metav1.Duration{Duration: time.Minute}},
	}

	return g
}
