package imagepolicy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/source"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// digest of an image whose content is a letter.
func digest(content string) string { return "sha256:" + strings.Repeat(content, 64) }

// shop is a registry with one repository: tags, and a letter for the content of each.
type shop struct {
	mu      sync.Mutex
	content map[string]string
	err     error
	secrets []string
	lists   int
	ages    []time.Duration
	// slow is how long a list takes.
	slow time.Duration
}

func (s *shop) set(content map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content = content
}

// Tags implements Registry.
func (s *shop) Tags(ctx context.Context, _ string, pullSecrets [][]byte, maxAge time.Duration) ([]string, error) {
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
		return nil, swarmobj.ErrUnavailable
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	s.lists++
	s.ages = append(s.ages, maxAge)
	s.secrets = nil

	for _, data := range pullSecrets {
		s.secrets = append(s.secrets, string(data))
	}

	var out []string
	for tag := range s.content {
		out = append(out, tag)
	}

	return out, s.err
}

// Resolve implements Registry.
func (s *shop) Resolve(_ context.Context, ref string, _ [][]byte) (swarmobj.ResolvedImage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	_, tag, _ := strings.Cut(ref, ":")
	if s.err != nil || s.content[tag] == "" {
		return swarmobj.ResolvedImage{}, errors.Join(s.err, map[bool]error{true: fmt.Errorf("%w: no tag", swarmobj.ErrNotFound)}[s.err == nil])
	}

	return swarmobj.ResolvedImage{Reference: ref + "@" + digest(s.content[tag])}, nil
}

// desk is an editor of a repository with one place, which has an image.
type desk struct {
	mu     sync.Mutex
	has    string
	asked  []source.EditRequest
	err    error
	marked int
}

// Edit implements source.Editor.
func (d *desk) Edit(_ context.Context, r source.EditRequest) (source.Edited, error) {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.asked = append(d.asked, r)

	now := r.Image.Reference()
	out := source.Edited{Revision: "main@sha1:" + now, Markers: d.marked, Branch: "main", Unchanged: r.Known == "main@sha1:"+d.has}

	if d.err != nil || out.Unchanged || d.marked == 0 || d.has == now {
		return out, d.err
	}

	out.Commit, out.Changes = strings.Repeat("c", 40), []source.Change{{File: "a.yaml", Line: 1, OldValue: d.has, NewValue: now}}
	d.has = now

	return out, nil
}

// notes are the events.
type notes struct {
	mu  sync.Mutex
	all []string
}

// Event implements engine.Recorder.
func (n *notes) Event(_ runtime.Object, kind, reason, message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, kind+" "+reason+": "+message)
}

// world is a controller with everything around it. All time in it is fake.
type world struct {
	t      *testing.T
	client client.Client
	shop   *shop
	desk   *desk
	notes  *notes
	loop   *engine.Engine[*gitopsv1.ImagePolicy]
	kind   *Controller
	// as are the accounts that were acted as, and writes the patches of containers.
	as     []string
	writes []string
	mu     sync.Mutex
	next   time.Time
}

var key = types.NamespacedName{Namespace: "acme", Name: "app"}

// play makes a world and runs a test in it.
func play(t *testing.T, objects []client.Object, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		scheme := runtime.NewScheme()
		if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
			t.Fatal(err)
		}

		w := &world{t: t, shop: &shop{content: map[string]string{"1.0.0": "a", "1.1.0": "b"}}, desk: &desk{has: "app:1.0.0", marked: 1}, notes: &notes{}}
		store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&gitopsv1.ImagePolicy{}).Build()
		w.client = interceptor.NewClient(store, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				data, err := p.Data(o)
				if err != nil {
					return err
				}

				var all client.PatchOptions
				for _, opt := range opts {
					opt.ApplyToPatch(&all)
				}

				w.mu.Lock()
				w.writes = append(w.writes, o.GetName()+" by "+all.FieldManager+": "+string(data))
				w.mu.Unlock()

				return c.Patch(ctx, o, p, opts...)
			},
		})
		w.kind = New(w.client, w.shop, w.desk, w, Options{Platform: "dogker-system", Recorder: w.notes, Roll: func() float64 { return 0.5 }})
		w.loop = engine.New(w.client, w.kind, engine.Options{Name: Name, Recorder: w.notes, Strict: true})

		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.kind.Run(ctx) }()

		test(w)
		stop()

		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// As implements Accounts.
func (w *world) As(namespace, name string) (client.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.as = append(w.as, namespace+"/"+name)

	return w.client, nil
}

// pass runs one pass.
func (w *world) pass() {
	w.t.Helper()

	r, err := w.loop.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatal(err)
	}

	w.next = time.Now().Add(r.RequeueAfter)
}

// settle runs passes until nothing is under way, as a queue does.
func (w *world) settle() *gitopsv1.ImagePolicy {
	w.t.Helper()
	w.pass()

	for {
		synctest.Wait()

		select {
		case <-w.kind.wakes:
			w.pass()

			continue
		default:
		}

		if !w.kind.jobs.Running(key) {
			return w.policy()
		}

		time.Sleep(time.Second)
	}
}

// later waits until the policy is looked at again.
func (w *world) later() *gitopsv1.ImagePolicy {
	w.t.Helper()
	time.Sleep(time.Until(w.next))

	return w.settle()
}

func (w *world) policy() *gitopsv1.ImagePolicy {
	w.t.Helper()

	var p gitopsv1.ImagePolicy
	if err := w.client.Get(w.t.Context(), key, &p); err != nil {
		w.t.Fatal(err)
	}

	check.Status(w.t, &p)

	return &p
}

func (w *world) image(name string) string {
	w.t.Helper()

	var c v1alpha1.TenantContainer
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "acme", Name: name}, &c); err != nil {
		w.t.Fatal(err)
	}

	return string(c.Spec.Image)
}

// ready is the summary in one line.
func ready(p *gitopsv1.ImagePolicy) string {
	c := conditions.Get(p, conditions.Ready)
	if c == nil {
		return ""
	}

	stalled := map[bool]string{true: " stalled"}[conditions.IsTrue(p, conditions.Stalled)]

	return string(c.Status) + stalled + " " + c.Reason + ": " + c.Message
}

// policy that takes the highest version, changed by edits.
func policy(edits ...func(*gitopsv1.ImagePolicySpec)) *gitopsv1.ImagePolicy {
	p := &gitopsv1.ImagePolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: "p", Generation: 1},
		Spec: gitopsv1.ImagePolicySpec{
			Image: "app", Interval: metav1.Duration{Duration: 5 * time.Minute}, ServiceAccountName: "gitsync",
			Policy: gitopsv1.ImagePolicyChoice{SemVer: &gitopsv1.SemVerPolicy{Range: "1.x"}},
		},
	}
	for _, edit := range edits {
		edit(&p.Spec)
	}

	return p
}

func containers(names ...v1alpha1.DNSLabel) func(*gitopsv1.ImagePolicySpec) {
	return func(s *gitopsv1.ImagePolicySpec) {
		s.Update = &gitopsv1.ImageUpdate{Containers: &gitopsv1.ContainerSelection{Names: names}}
	}
}

func container(name, image string, edits ...func(*v1alpha1.TenantContainer)) *v1alpha1.TenantContainer {
	c := &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec:       v1alpha1.TenantContainerSpec{Image: v1alpha1.Image(image)},
	}
	for _, edit := range edits {
		edit(c)
	}

	return c
}
