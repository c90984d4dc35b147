package converge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

// shelf is a world that is as simple as a world can be: boxes with a unique name and a version, by which a write that was
// decided on old knowledge is refused.
type shelf struct {
	mu         sync.Mutex
	boxes      []box
	versions   int
	violations []string
	foreign    box
	wanted     func(uid string) bool
}

type box struct {
	name, content, owner string
	version              int
}

func (s *shelf) State() []string {
	s.mu.Lock()
	defer s.mu.Unlock()

	var out []string
	for _, b := range s.boxes {
		out = append(out, fmt.Sprintf("box %s=%s", b.name, b.content))
	}

	sort.Strings(out)

	return out
}

func (s *shelf) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()

	if !slices.Contains(s.boxes, s.foreign) {
		return append(s.violations, "somebody else's box is gone")
	}

	return s.violations
}

// hand is a process's way to the shelf, through its seam.
type hand struct {
	seam  *Seam
	shelf *shelf
}

var (
	errLost  = errors.New("no answer")
	errStale = errors.New("the box has changed")
)

func (h hand) do(ctx context.Context, op, target string, write bool, act func() error) error {
	kind, err := h.seam.Enter(ctx, Call{Seam: "Shelf", Op: op, Target: target, Write: write})
	if err != nil {
		return err
	}

	locked := func() error {
		h.shelf.mu.Lock()
		defer h.shelf.mu.Unlock()

		return act()
	}

	switch kind {
	case Refuse, Hang, Empty, Half:
		return errLost
	case Late:
		time.AfterFunc(lateTime, func() { _ = locked() })

		return errLost
	}

	err = locked()

	if crashed := h.seam.Leave(kind); crashed != nil {
		return crashed
	}

	if kind == Lose {
		return errLost
	}

	return err
}

func (h hand) list(ctx context.Context) (boxes []box, err error) {
	err = h.do(ctx, "List", "", false, func() error {
		boxes = slices.Clone(h.shelf.boxes)

		return nil
	})

	return boxes, err
}

// put replaces the box that was seen, or adds one where none was.
func (h hand) put(ctx context.Context, b box) error {
	return h.do(ctx, "Put", b.name, true, func() error {
		i := slices.IndexFunc(h.shelf.boxes, func(o box) bool { return o.name == b.name })
		if (i < 0) != (b.version == 0) || i >= 0 && h.shelf.boxes[i].version != b.version {
			return errStale
		}

		h.shelf.versions++
		b.version = h.shelf.versions

		if i >= 0 {
			h.shelf.boxes[i] = b
		} else {
			h.shelf.boxes = append(h.shelf.boxes, b)
		}

		return nil
	})
}

// add adds a box, even when there is one of that name.
func (h hand) add(ctx context.Context, b box) error {
	return h.do(ctx, "Add", b.name, true, func() error {
		if slices.ContainsFunc(h.shelf.boxes, func(o box) bool { return o.name == b.name }) {
			h.shelf.violations = append(h.shelf.violations, "two boxes "+b.name)
		}

		h.shelf.versions++
		b.version = h.shelf.versions
		h.shelf.boxes = append(h.shelf.boxes, b)

		return nil
	})
}

// remove takes a box away if it still belongs to the owner.
func (h hand) remove(ctx context.Context, b box) error {
	return h.do(ctx, "Remove", b.name, true, func() error {
		i := slices.IndexFunc(h.shelf.boxes, func(o box) bool { return o.name == b.name && o.owner == b.owner })
		if i < 0 {
			return nil
		}

		if b.owner != "" && h.shelf.wanted(b.owner) {
			h.shelf.violations = append(h.shelf.violations, "a box is gone that is wanted")
		}

		h.shelf.boxes = slices.Delete(h.shelf.boxes, i, i+1)

		return nil
	})
}

// toy keeps one box for each TenantContainer, with the image as its content, and collects boxes that nobody owns. Its
// flaws are what people get wrong.
type toy struct {
	hand hand
	live client.Reader

	addsTwice   bool // creates without looking for what may be there already
	keepsNotes  bool // believes its memory, not the world
	restless    bool // writes although nothing has changed
	forgetful   bool // lets the object go before the box is gone, and collects nothing
	trustsError bool // takes an error for an empty store
	greedy      bool // removes what is not its own

	notes map[string]string
}

func (k *toy) Reconcile(ctx context.Context, c *v1alpha1.TenantContainer) (outcome.Result, error) {
	boxes, err := k.hand.list(ctx)
	if err != nil {
		return outcome.Result{}, err
	}

	want := box{name: c.Name, content: string(c.Spec.Image), owner: string(c.UID)}
	have := slices.IndexFunc(boxes, func(b box) bool { return b.name == c.Name })

	if c.DeletionTimestamp != nil {
		if err := k.hand.remove(ctx, want); err != nil && !k.forgetful {
			return outcome.Result{}, err
		}

		return outcome.Result{Finalized: true}, nil
	}

	if have >= 0 {
		want.version = boxes[have].version
	}

	upToDate := have >= 0 && boxes[have] == want
	if k.keepsNotes {
		upToDate = k.notes[c.Name] == want.content
		k.notes[c.Name] = want.content
	}

	put := k.hand.put
	if k.addsTwice && have < 0 {
		put = k.hand.add
	}

	if !upToDate || k.restless {
		if err := put(ctx, want); err != nil {
			return outcome.Result{}, err
		}
	}

	conditions.MarkReady(c, v1alpha1.ReasonRunning, "the box is there")

	return outcome.Result{}, nil
}

// collect removes boxes whose owner exists no longer, every now and then.
func (k *toy) collect(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, 20*time.Second)

		boxes, err := k.hand.list(ctx)

		var list v1alpha1.TenantContainerList
		if errLive := k.live.List(ctx, &list); (err != nil || errLive != nil) && !k.trustsError {
			continue
		}

		for _, b := range boxes {
			owned := slices.ContainsFunc(list.Items, func(c v1alpha1.TenantContainer) bool { return string(c.UID) == b.owner })
			if !owned && (b.owner != "" || k.greedy) {
				_ = k.hand.remove(ctx, b)
			}
		}
	}
}

// toyHarness puts a toy to the test.
func toyHarness(flaw func(*toy)) *Harness {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		panic(err)
	}

	return &Harness{
		Scheme: scheme,
		Status: []client.Object{&v1alpha1.TenantContainer{}},
		World: func(r *Run) World {
			foreign := box{name: "foreign", content: "precious"}

			return &shelf{boxes: []box{foreign}, foreign: foreign, wanted: func(uid string) bool {
				c := &v1alpha1.TenantContainer{}

				return r.Store.Get("acme", "web", c) && string(c.UID) == uid && c.DeletionTimestamp == nil
			}}
		},
		Start: func(p *Process) {
			kind := &toy{hand: hand{p.Seam, p.World.(*shelf)}, live: p.Live, notes: map[string]string{}}
			if flaw != nil {
				flaw(kind)
			}

			if !kind.forgetful {
				p.Go(kind.collect)
			}

			loop := engine.New(p.Client, kind, engine.Options{
				Name: "toy", Finalizer: v1alpha1.Finalizer, Strict: true, Jitter: func() float64 { return 0 },
			})
			p.Reconcile(loop)
			p.Watch(&v1alpha1.TenantContainer{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
				o := new
				if o == nil {
					o = old
				}

				return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
			})
		},
		Keys: func(c client.Client) []types.NamespacedName {
			var list v1alpha1.TenantContainerList
			if err := c.List(context.Background(), &list); err != nil {
				return nil
			}

			var keys []types.NamespacedName
			for i := range list.Items {
				keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
			}

			return keys
		},
		State: func(r *Run) []string {
			var list v1alpha1.TenantContainerList
			r.Store.List(&list)

			var out []string
			for i := range list.Items {
				c := &list.Items[i]
				out = append(out, fmt.Sprintf("container %s ready=%t", c.Name, conditions.IsTrue(c, conditions.Ready)))
			}

			return out
		},
		Check: func(r *Run) []string {
			var list v1alpha1.TenantContainerList
			r.Store.List(&list)

			var out []string
			for i := range list.Items {
				out = append(out, check.Problems(&list.Items[i])...)
			}

			return out
		},
		Replay: "go test ./reconciler/converge -run '%s'",
	}
}

// story is what happens to the toy: a box is made, changed, and taken away.
var story = Scenario{Name: "story", Steps: []Step{
	{
		Name: "create",
		Do: func(r *Run) {
			r.Store.Create(&v1alpha1.TenantContainer{
				ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web"}, Spec: v1alpha1.TenantContainerSpec{Image: "v1"},
			})
		},
		Until: holds("v1"),
	},
	{
		Name: "change",
		Do: func(r *Run) {
			c := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web"}}
			r.Store.Edit(c, func() { c.Spec.Image = "v2" })
		},
		Until: holds("v2"),
	},
	{
		Name: "delete",
		Do: func(r *Run) {
			r.Store.Delete(&v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web"}})
		},
		Until: holds(""),
	},
}}

// holds tells whether the shelf holds that content, and the API says so.
func holds(content string) func(r *Run) error {
	return func(r *Run) error {
		var want []string
		if content != "" {
			want = []string{"box web=" + content}
		}

		got := slices.DeleteFunc(r.World.State(), func(s string) bool { return s == "box foreign=precious" })
		if !slices.Equal(got, want) {
			return fmt.Errorf("the shelf holds %q, want %q", got, want)
		}

		c := &v1alpha1.TenantContainer{}
		exists := r.Store.Get("acme", "web", c)

		if exists != (content != "") {
			return fmt.Errorf("the object exists: %t", exists)
		}

		if exists && (!conditions.IsTrue(c, conditions.Ready) || c.Status.ObservedGeneration != c.Generation) {
			return fmt.Errorf("the object is not ready")
		}

		return nil
	}
}
