package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// Plan is what it takes to make a namespace what a build says. It holds what was looked at, so it is good for a moment: what
// changes until it is carried out is looked at again.
type Plan struct {
	visit    *visit
	items    []*item
	steps    []*step
	decision inventory.Decision
}

// Plan looks at everything and writes nothing. An error of type Errors names what the API refuses; nothing may be applied then.
func (a *Applier) Plan(ctx context.Context, r delivery.Request) (*Plan, error) {
	v, err := a.visit(r)
	if err != nil {
		return nil, err
	}

	recorded, err := inventory.Read(r.Recorded)
	if err != nil {
		return nil, err
	}

	items, errs := decode(r, a.kinds)
	if len(errs) > 0 {
		return nil, errs
	}

	v.declare(items)

	heads, err := v.look(ctx, items)
	if err != nil {
		return nil, err
	}

	p := &Plan{visit: v, items: items}
	p.decision = inventory.Decide(inventory.Situation{Recorded: recorded, Built: built(items), Prune: r.Prune, AllowEmpty: r.AllowEmpty})

	if p.steps, err = v.examineAll(ctx, items, heads); err != nil {
		return nil, err
	}

	if err := v.room(ctx, p.steps); err != nil {
		return nil, err
	}

	a.memory.keep(r.Sync, items)

	return p, nil
}

// examineAll asks about all items of which it is not known that they are as they should be.
func (v *visit) examineAll(ctx context.Context, items []*item, heads map[inventory.ID]metav1.Object) ([]*step, error) {
	steps := make([]*step, len(items))
	wrong := newCollector(len(items))

	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(v.opts.Concurrency)

	for i, it := range items {
		if head := heads[it.id]; head != nil && v.memory.knows(v.request, it, head, v.now()) {
			steps[i] = &step{item: it, action: delivery.Unchanged}

			continue
		}

		g.Go(func() error {
			s, err := v.examine(ctx, it)
			if err != nil {
				return wrong.add(i, err)
			}

			if s.action == delivery.Unchanged {
				v.learn(it, s.live)
			}

			steps[i] = s

			return nil
		})
	}

	if err := g.Wait(); err != nil {
		return nil, err
	}

	return steps, wrong.errors().Err()
}

func (v *visit) learn(it *item, live metav1.Object) {
	v.memory.learn(v.request, it, live, v.now(), v.opts.Recheck)
}

// collector gathers errors about objects in the order of the build. Errors about anything else end the work.
type collector struct {
	mu    sync.Mutex
	found []*delivery.Error
}

func newCollector(n int) *collector { return &collector{found: make([]*delivery.Error, n)} }

func (c *collector) add(i int, err error) error {
	var one *delivery.Error
	if !errors.As(err, &one) {
		return err
	}

	c.mu.Lock()
	defer c.mu.Unlock()

	c.found[i] = one

	return nil
}

func (c *collector) errors() delivery.Errors {
	return slices.DeleteFunc(slices.Clone(c.found), func(e *delivery.Error) bool { return e == nil })
}

// Changes are what Apply and Prune would do, in that order.
func (p *Plan) Changes() delivery.Changes {
	var out delivery.Changes
	for _, s := range p.steps {
		out = append(out, s.change())
	}

	for _, o := range p.decision.Delete {
		out = append(out, delivery.Change{ID: o.ID, Action: delivery.Deleted})
	}

	for _, k := range p.decision.Keep {
		out = append(out, delivery.Change{ID: k.ID, Action: delivery.Kept, Why: k.Why})
	}

	return out
}

func (s *step) change() delivery.Change {
	return delivery.Change{ID: s.id, Action: s.action, Diff: s.diff}
}

// Record is what must be on record before Apply, so that whoever dies in between leaves nothing that nobody answers for.
func (p *Plan) Record() []inventory.Entry { return inventory.Write(p.decision.Before) }

// Guard says why nothing is pruned although something is gone; empty when there is no such reason.
func (p *Plan) Guard() string { return p.decision.Guard }

// String is the plan as people read it.
func (p *Plan) String() string {
	text := p.Changes().String()
	if p.decision.Guard != "" {
		text += fmt.Sprintln(p.decision.Guard)
	}

	return text
}
