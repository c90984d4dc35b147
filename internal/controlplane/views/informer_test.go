package views

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	core "k8s.io/kubernetes/pkg/apis/core"
)

// door is what clients reach: the server, which may be another one now.
type door struct {
	store atomic.Pointer[store]

	mu   sync.Mutex
	open []watch.Interface
}

// replace puts another server behind the door, and ends the watches of the one before.
func (d *door) replace(s *store) {
	d.store.Store(s)

	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.open {
		w.Stop()
	}
	d.open = nil
}

func (d *door) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	return d.store.Load().List(ctx, internal(o))
}

func (d *door) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	w, err := d.store.Load().Watch(ctx, internal(o))
	if err == nil {
		d.mu.Lock()
		d.open = append(d.open, w)
		d.mu.Unlock()
	}

	return w, err
}

func (d *door) List(o metav1.ListOptions) (runtime.Object, error) {
	return d.ListWithContext(context.Background(), o)
}

func (d *door) Watch(o metav1.ListOptions) (watch.Interface, error) {
	return d.WatchWithContext(context.Background(), o)
}

func internal(o metav1.ListOptions) *internalversion.ListOptions {
	return &internalversion.ListOptions{
		AllowWatchBookmarks: o.AllowWatchBookmarks, ResourceVersion: o.ResourceVersion, ResourceVersionMatch: o.ResourceVersionMatch,
		Limit: o.Limit, Continue: o.Continue, SendInitialEvents: o.SendInitialEvents,
	}
}

// changesInCI is how many steps the informers have to follow at least; with DOGKER_LONG=1 they follow them for an hour.
// enoughChanges are those that they have to be told of for the test to prove anything.
const changesInCI, enoughChanges = 15_000, 10_000

// TestInformers: informers of client-go miss nothing while tasks come, change and go, and while the server is replaced by
// another one, whose versions are its own.
func TestInformers(t *testing.T) {
	w := newWorld("a")
	v, stop := show(t, w)
	d := &door{}
	d.replace(newStore(v.pods, v.ready))

	var told atomic.Int64
	informers := make([]cache.SharedIndexInformer, 3)
	for i := range informers {
		informers[i] = cache.NewSharedIndexInformer(d, &core.Pod{}, 0, nil)
		if i == 0 {
			if _, err := informers[0].AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
				AddFunc:    func(any, bool) { told.Add(1) },
				UpdateFunc: func(_, _ any) { told.Add(1) },
				DeleteFunc: func(any) { told.Add(1) },
			}); err != nil {
				t.Fatal(err)
			}
		}
		go informers[i].Run(t.Context().Done())
		if !cache.WaitForCacheSync(t.Context().Done(), informers[i].HasSynced) {
			t.Fatal("an informer does not sync")
		}
	}
	same := func(phase string) {
		t.Helper()
		for i, informer := range informers {
			eventually(t, phase, func() bool { return cmp.Equal(shownBy(v), heldBy(informer)) })
			if t.Failed() {
				t.Fatalf("informer %d: %s", i, cmp.Diff(shownBy(v), heldBy(informer)))
			}
		}
	}

	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // It is to be the same in every run.
	begun, first := time.Now(), v.pods.shelf.first
	// Several steps may come to be one change, more of them on a machine that is busy.
	few := func(n int) bool { return told.Load() < enoughChanges && n < 10*changesInCI }
	for n := 0; n < changesInCI || few(n) || os.Getenv("DOGKER_LONG") == "1" && time.Since(begun) < time.Hour; n++ {
		w.stir(r)
		if n%500 == 0 {
			same("informers follow")
		}
		if n%16 == 0 {
			time.Sleep(50 * time.Microsecond) // So that not all of it is one change.
		}
	}
	same("informers have all")
	_, last := v.pods.shelf.list("")
	changes := last - first
	eventually(t, "the handler is told of every change", func() bool { return told.Load() == int64(changes) }) //nolint:gosec // They are few.
	t.Logf("%d changes in %s", changes, time.Since(begun).Round(time.Millisecond))
	if changes < enoughChanges {
		t.Errorf("only %d changes: too few to prove anything", changes)
	}

	stop()
	v, _ = show(t, w)
	d.replace(newStore(v.pods, v.ready))
	for range 100 {
		w.stir(r)
	}
	same("informers have found the other server")
}

func shownBy(v *Views) map[string]string {
	rows, _ := v.pods.shelf.list("")
	out := map[string]string{}
	for _, r := range rows {
		out[r.namespace+"/"+r.name] = formatVersion(r.version)
	}

	return out
}

func heldBy(i cache.SharedIndexInformer) map[string]string {
	out := map[string]string{}
	for _, o := range i.GetStore().List() {
		p := o.(*core.Pod)
		out[p.Namespace+"/"+p.Name] = p.ResourceVersion
	}

	return out
}
