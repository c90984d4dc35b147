package converge

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// Store is the API in memory, with a log of all changes.
type Store struct {
	scheme *runtime.Scheme
	// base is the fake API server; writes through it are logged.
	base client.WithWatch

	mu   sync.Mutex
	log  []change
	uids int
	wait chan struct{}
}

// change is one entry of the log: what an object was after it, nil when it was gone.
type change struct {
	id
	index  int
	at     time.Time
	object client.Object
}

func newStore(h *Harness) *Store {
	s := &Store{scheme: h.Scheme, wait: make(chan struct{})}

	// The tracker is the plain one: the one that the builder makes keeps track of field managers, which nothing here
	// asks for, at ten times the cost.
	tracker := testing.NewObjectTracker(h.Scheme, serializer.NewCodecFactory(h.Scheme).UniversalDecoder())
	raw := fake.NewClientBuilder().WithScheme(h.Scheme).WithObjectTracker(tracker).WithStatusSubresource(h.Status...).Build()
	s.base = interceptor.NewClient(raw, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			s.adorn(o)

			return s.logged(ctx, c, o, func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return s.logged(ctx, c, o, func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return s.logged(ctx, c, o, func() error { return c.Patch(ctx, o, patch, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return s.logged(ctx, c, o, func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, _ client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return s.logged(ctx, raw, o, func() error { return raw.SubResource(sub).Patch(ctx, o, patch, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, _ client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			return s.logged(ctx, raw, o, func() error { return raw.SubResource(sub).Update(ctx, o, opts...) })
		},
		DeleteAllOf: func(context.Context, client.WithWatch, client.Object, ...client.DeleteAllOfOption) error {
			panic("converge: DeleteAllOf is not logged")
		},
	})

	return s
}

// adorn gives a new object what an API server would.
func (s *Store) adorn(o client.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.uids++
	o.SetUID(types.UID(fmt.Sprintf("uid-%d", s.uids)))
	o.SetGeneration(1)
	o.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
}

// logged makes a write and logs what it has changed. Writes happen one after the other.
func (s *Store) logged(ctx context.Context, c client.WithWatch, o client.Object, write func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	key := client.ObjectKeyFromObject(o)
	kind := s.kindOf(o)
	before := s.current(ctx, c, kind, key)

	if err := write(); err != nil {
		return err
	}

	after := s.current(ctx, c, kind, key)

	if before != nil && after == nil {
		time.AfterFunc(collectTime, func() { s.collect(before.GetUID()) })
	}
	if before == nil && after != nil {
		for _, owner := range after.GetOwnerReferences() {
			time.AfterFunc(collectTime, func() { s.collectUnowned(owner.UID) })
		}
	}

	if before != nil && after == nil || after != nil && (before == nil || before.GetResourceVersion() != after.GetResourceVersion()) {
		s.log = append(s.log, change{id: id{kind, key}, index: len(s.log), at: time.Now(), object: after})
		close(s.wait)
		s.wait = make(chan struct{})
	}

	return nil
}

// collectTime is how long the garbage collector takes.
const collectTime = time.Second

// collectUnowned removes what was made for an object that is gone, which a call that comes late can do.
func (s *Store) collectUnowned(owner types.UID) {
	for _, o := range s.latest() {
		if o != nil && o.GetUID() == owner {
			return
		}
	}

	s.collect(owner)
}

// collect removes what an object owned that is gone, as the garbage collector does.
func (s *Store) collect(owner types.UID) {
	for _, o := range s.latest() {
		if o != nil && slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner }) {
			s.Delete(o)
		}
	}
}

// latest is what every object is now, nil when it is gone.
func (s *Store) latest() map[id]client.Object {
	last := map[id]client.Object{}
	for _, ch := range s.since(0) {
		last[ch.id] = ch.object
	}

	return last
}

func (s *Store) current(ctx context.Context, c client.Client, kind schema.GroupVersionKind, key types.NamespacedName) client.Object {
	o := s.make(kind)

	// The outcome of the write must be known even if whoever asked for it has gone.
	if err := c.Get(context.WithoutCancel(ctx), key, o); err != nil {
		return nil
	}

	return o
}

func (s *Store) make(kind schema.GroupVersionKind) client.Object {
	o, err := s.scheme.New(kind)
	if err != nil {
		panic(fmt.Sprintf("converge: %v", err))
	}

	return o.(client.Object)
}

func (s *Store) length() int {
	s.mu.Lock()
	defer s.mu.Unlock()

	return len(s.log)
}

// since returns the changes from index n on.
func (s *Store) since(n int) []change {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.log[min(n, len(s.log)):]
}

// History yields every state that every object has had, in order; gone ones are left out.
func (s *Store) History() iter.Seq[client.Object] {
	return func(yield func(client.Object) bool) {
		for _, ch := range s.since(0) {
			if ch.object != nil && !yield(ch.object) {
				return
			}
		}
	}
}

// more is closed when there are more than n changes.
func (s *Store) more(n int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()

	if len(s.log) > n {
		now := make(chan struct{})
		close(now)

		return now
	}

	return s.wait
}

func (s *Store) kindOf(o runtime.Object) schema.GroupVersionKind {
	kinds, _, err := s.scheme.ObjectKinds(o)
	if err != nil {
		panic(fmt.Sprintf("converge: %v", err))
	}

	return kinds[0]
}

func (s *Store) itemKind(list client.ObjectList) schema.GroupVersionKind {
	kind := s.kindOf(list)
	kind.Kind = strings.TrimSuffix(kind.Kind, "List")

	return kind
}

// Get reads an object as it is now; false when there is none.
func (s *Store) Get(namespace, name string, into client.Object) bool {
	return s.base.Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: name}, into) == nil
}

// List reads all objects of a kind as they are now.
func (s *Store) List(into client.ObjectList, opts ...client.ListOption) {
	if err := s.base.List(context.Background(), into, opts...); err != nil {
		panic(fmt.Sprintf("converge: %v", err))
	}
}

// Create makes an object as a user does.
func (s *Store) Create(o client.Object) {
	if err := s.base.Create(context.Background(), o); err != nil {
		panic(fmt.Sprintf("converge: create %s: %v", o.GetName(), err))
	}
}

// Delete asks for an object to go, as a user does.
func (s *Store) Delete(o client.Object) {
	if err := s.base.Delete(context.Background(), o); err != nil && !apierrors.IsNotFound(err) {
		panic(fmt.Sprintf("converge: delete %s: %v", o.GetName(), err))
	}
}

// Edit changes an object as a user does: a change of the spec makes a new generation. It tries again when the object has
// been written meanwhile.
func (s *Store) Edit(o client.Object, change func()) {
	for {
		if err := s.base.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			panic(fmt.Sprintf("converge: edit %s: %v", o.GetName(), err))
		}

		before := specOf(o)
		change()

		if specOf(o) != before {
			o.SetGeneration(o.GetGeneration() + 1)
		}

		err := s.base.Update(context.Background(), o)
		if err == nil {
			return
		}

		if !apierrors.IsConflict(err) {
			panic(fmt.Sprintf("converge: edit %s: %v", o.GetName(), err))
		}
	}
}

func specOf(o client.Object) string {
	data, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("converge: %v", err))
	}

	var parts struct{ Spec json.RawMessage }
	if err := json.Unmarshal(data, &parts); err != nil {
		panic(fmt.Sprintf("converge: %v", err))
	}

	return string(parts.Spec)
}

// copyInto copies an object into another of the same type.
func copyInto(from, into client.Object) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}

	return json.Unmarshal(data, into)
}

func labelSet(o client.Object) labels.Set { return labels.Set(o.GetLabels()) }
