package gitsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/engine"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// fataler is a test, or a try of a property.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world is a controller with everything that it talks to, in time that is not real.
type world struct {
	t      fataler
	store  client.WithWatch
	repo   *repo
	space  *space
	drawer drawer

	controller *Controller
	engine     *engine.Engine[*gitopsv1.GitSync]
	stop       context.CancelFunc
	// due is when each sync is looked at next.
	due map[types.NamespacedName]time.Time

	patches int
	// lose makes the next patches of a status fail.
	lose   int
	events []string
	told   []string
}

var app = types.NamespacedName{Namespace: "acme", Name: "app"}

// newWorld makes a world in which there is one sync, which prunes and is looked at every ten minutes.
func newWorld(t fataler, edits ...func(*gitopsv1.GitSync)) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(gitopsv1.AddToScheme(scheme), dogkerv1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatalf("%v", err)
	}

	w := &world{t: t, repo: &repo{}, drawer: drawer{}, due: map[types.NamespacedName]time.Time{}}
	w.store = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&gitopsv1.GitSync{}).WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: app.Namespace, Labels: map[string]string{dogkerv1.LabelTenant: app.Namespace}}},
		&dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: app.Namespace, Finalizers: []string{"test/held"}}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: gitopsv1.AccountName}},
	).Build()
	w.space = &space{w: w, live: map[inventory.ID]string{}, sick: map[string]bool{}, refuses: map[string]delivery.Reason{}}
	w.add(app.Name, edits...)
	w.start()

	return w
}

// add makes a sync.
func (w *world) add(name string, edits ...func(*gitopsv1.GitSync)) {
	w.t.Helper()

	s := &gitopsv1.GitSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: name, UID: types.UID("uid-" + name), Generation: 1, Finalizers: []string{gitopsv1.FinalizerGitSync}},
		Spec: gitopsv1.GitSyncSpec{
			URL: "https://git.example/shop.git", Prune: true, Interval: metav1.Duration{Duration: 10 * time.Minute},
			RetryInterval: &metav1.Duration{Duration: time.Minute}, Timeout: metav1.Duration{Duration: time.Minute},
		},
	}
	for _, edit := range edits {
		edit(s)
	}

	if err := w.store.Create(context.Background(), s); err != nil {
		w.t.Fatalf("%v", err)
	}

	w.due[client.ObjectKeyFromObject(s)] = time.Now()
}

// close ends the process.
func (w *world) close() {
	w.stop()
	w.controller.jobs.Stop()
}

// start begins a process: nothing is left of the one before but what is stored.
func (w *world) start() {
	if w.stop != nil {
		w.close()
	}

	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	w.controller = New(w.store, w.store, w.repo, w.drawer, w.space, Options{
		Platform: "dogker-system", Statuses: w, Recorder: w, Roll: func() float64 { return 0.5 },
	})

	c := w.controller

	go func() { _ = c.Run(ctx) }()

	w.engine = engine.New(client.Client(w.seam()), w.controller, engine.Options{
		Name: Name, Finalizer: gitopsv1.FinalizerGitSync, Recorder: w, Strict: true, Jitter: func() float64 { return 0 },
		Timeout: PassTimeout,
	})

	for key := range w.due {
		w.due[key] = time.Now()
	}
}

var errLost = errors.New("the answer was lost")

// seam is what the engine writes through.
func (w *world) seam() client.Client {
	return interceptor.NewClient(w.store, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			w.patches++

			if w.lose > 0 {
				w.lose--

				return errLost
			}

			return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	})
}

// pass is one pass over a sync.
func (w *world) pass(key types.NamespacedName) {
	w.t.Helper()

	result, err := w.engine.Reconcile(context.Background(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatalf("Reconcile returned an error, which it never does: %v", err)
	}

	delete(w.due, key)

	if result.RequeueAfter > 0 {
		w.due[key] = time.Now().Add(result.RequeueAfter)
	}
}

// run lets time pass, and does what a manager would do in it.
func (w *world) run(d time.Duration) {
	w.t.Helper()

	for end := time.Now().Add(d); ; {
		synctest.Wait()

		for len(w.controller.wakes) > 0 {
			w.due[(<-w.controller.wakes).Object] = time.Now()
		}

		next, at := types.NamespacedName{}, end

		for _, key := range slices.SortedFunc(maps.Keys(w.due), func(a, b types.NamespacedName) int { return strings.Compare(a.Name, b.Name) }) {
			if w.due[key].Before(at) {
				next, at = key, w.due[key]
			}
		}

		if wait := time.Until(at); wait > 0 {
			if w.controller.jobs.Len() > 0 {
				wait = min(wait, time.Second) // A build may end before that.
			}

			time.Sleep(wait)

			continue
		}

		if next.Name == "" {
			return
		}

		w.pass(next)
	}
}

// stored reads a sync; nil when it is gone.
func (w *world) stored(name string) *gitopsv1.GitSync {
	w.t.Helper()

	s := &gitopsv1.GitSync{}
	if err := w.store.Get(context.Background(), types.NamespacedName{Namespace: app.Namespace, Name: name}, s); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		w.t.Fatalf("%v", err)
	}

	return s
}

// edit changes the sync as its owner does.
func (w *world) edit(change func(*gitopsv1.GitSync)) {
	w.t.Helper()

	s := w.stored(app.Name)
	spec := s.Spec.DeepCopy()
	change(s)

	if fmt.Sprintf("%+v", *spec) != fmt.Sprintf("%+v", s.Spec) {
		s.Generation++
	}

	if err := w.store.Update(context.Background(), s); err != nil {
		w.t.Fatalf("%v", err)
	}

	w.due[app] = time.Now()
}

// remove deletes an object.
func (w *world) remove(o client.Object) {
	w.t.Helper()

	if err := w.store.Delete(context.Background(), o); err != nil {
		w.t.Fatalf("%v", err)
	}
}

// ready is the condition Ready in a line.
func (w *world) ready() string {
	w.t.Helper()

	s := w.stored(app.Name)
	if t, ok := w.t.(*testing.T); ok {
		check.Status(t, s)
	}

	c := conditions.Get(s, conditions.Ready)
	if c == nil {
		return ""
	}

	return string(c.Status) + " " + c.Reason + ": " + c.Message
}

// Event implements engine.Recorder.
func (w *world) Event(_ runtime.Object, eventType, reason, message string) {
	w.events = append(w.events, eventType+" "+reason+": "+message)
}

// Tell implements CommitStatuses: what was said last is not said again.
func (w *world) Tell(_ types.NamespacedName, s lifecycle.CommitState) {
	text := s.Commit + " " + s.State + ": " + s.Description
	if len(w.told) == 0 || w.told[len(w.told)-1] != text {
		w.told = append(w.told, text)
	}
}

// repo is a repository and whoever builds it.
type repo struct {
	// mu is held while something changes, because builds go on meanwhile.
	mu      sync.Mutex
	commit  int
	objects []string
	fails   *source.Error
	takes   time.Duration
	// asks are all questions, builds those that were answered with objects.
	asks, builds int
	last         source.Request
}

// push makes a commit with these objects: name=value.
func (r *repo) push(objects ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commit++
	r.objects, r.fails = objects, nil
}

// pushBad makes a commit that cannot be built.
func (r *repo) pushBad() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commit++
	r.fails = &source.Error{Reason: source.ReasonBuildFailed, File: "app.yaml", Line: 3, Message: "is no YAML", Revision: r.revision()}
}

// change changes how it answers.
func (r *repo) change(f func(*repo)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

func (r *repo) hash() string { return fmt.Sprintf("%040x", r.commit) }

func (r *repo) revision() string { return "main@sha1:" + r.hash() }

// Build implements source.Builder.
func (r *repo) Build(ctx context.Context, request source.Request) (source.Built, error) {
	var takes time.Duration

	r.change(func(r *repo) {
		r.asks++
		r.last, takes = request, r.takes
	})

	select {
	case <-ctx.Done():
		return source.Built{}, &source.Error{Reason: source.ReasonTimeout, Transient: true, Cause: ctx.Err()}
	case <-time.After(takes):
	}

	r.mu.Lock()
	defer r.mu.Unlock()

	b := source.Built{Revision: r.revision(), Commit: source.Commit{Hash: r.hash()}}

	switch {
	case r.fails != nil && (request.Known == "" || request.Known != r.fails.Revision):
		return source.Built{}, r.fails
	case request.Known == b.Revision:
		b.Unchanged = true

		return b, nil
	}

	r.builds++

	for i, o := range r.objects {
		name, value, _ := strings.Cut(o, "=")
		b.Objects = append(b.Objects, source.Object{File: "app.yaml", Line: i + 1, JSON: []byte(fmt.Sprintf(
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q},"data":{"value":%q}}`, name, value))})
	}

	b.Digest = source.DigestOf(b.Objects)

	return b, nil
}

// drawer has Secrets and ConfigMaps; an entry that is nil may not be read.
type drawer map[string]map[string]string

func (d drawer) read(kind, name string) (map[string]string, error) {
	values, found := d[kind+"/"+name]
	resource := schema.GroupResource{Resource: strings.ToLower(kind) + "s"}

	switch {
	case !found:
		return nil, apierrors.NewNotFound(resource, name)
	case values == nil:
		return nil, apierrors.NewForbidden(resource, name, nil)
	}

	return values, nil
}

// Secret implements Accounts.
func (d drawer) Secret(_ context.Context, _ types.NamespacedName, name string) (map[string][]byte, error) {
	values, err := d.read("Secret", name)
	out := map[string][]byte{}

	for k, v := range values {
		out[k] = []byte(v)
	}

	return out, err
}

// ConfigMap implements Accounts.
func (d drawer) ConfigMap(_ context.Context, _ types.NamespacedName, name string) (map[string]string, error) {
	return d.read("ConfigMap", name)
}
