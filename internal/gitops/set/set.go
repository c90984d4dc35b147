package set

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/dogker/dogker/internal/gitops/apply"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

// Request says what a set is to be.
type Request struct {
	Namespace, Name string
	// Objects as they were built.
	Objects []source.Object
	// Prune deletes what is on record and not among the objects. AllowEmpty lets it delete everything.
	Prune, AllowEmpty bool
	// Force makes anew what cannot be changed.
	Force bool
}

// Plan is what it takes to make a set what its files say.
type Plan struct {
	plan   *apply.Plan
	record record
	prune  bool
}

// New looks at everything and writes nothing. An error of type delivery.Errors names what the API refuses.
func New(ctx context.Context, cfg *rest.Config, r Request) (*Plan, error) {
	if errs := validation.IsDNS1123Label(prefix + r.Name); len(errs) > 0 {
		return nil, fmt.Errorf("--set: Invalid value: %q: %s", r.Name, strings.Join(errs, "; "))
	}

	// The API queues requests fairly; a limit of our own would make large sets slow.
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1

	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}

	kinds, err := apiutil.NewDynamicRESTMapper(cfg, client)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}

	core, err := typedv1.NewForConfigAndClient(cfg, client)
	if err != nil {
		return nil, fmt.Errorf("connect to the API: %w", err)
	}

	p := &Plan{record: record{api: core.ConfigMaps(r.Namespace), name: r.Name}, prune: r.Prune}
	if err := p.record.read(ctx); err != nil {
		return nil, err
	}

	p.plan, err = apply.New(cfg, kinds, apply.Options{OwnRights: true}).Plan(ctx, delivery.Request{
		Sync:    types.NamespacedName{Namespace: r.Namespace, Name: prefix + r.Name},
		Objects: r.Objects, Recorded: p.record.entries,
		Prune: r.Prune, AllowEmpty: r.AllowEmpty, Force: r.Force,
	})
	if err != nil {
		return nil, err
	}

	return p, nil
}

// Changes are what CarryOut would do.
func (p *Plan) Changes() delivery.Changes { return p.plan.Changes() }

// Guard says why nothing is pruned although something is gone; empty when there is no such reason.
func (p *Plan) Guard() string { return p.plan.Guard() }

// CarryOut makes the objects what the plan says, waits until they are Ready where wait is not zero, and then prunes. It tells of
// every object what has become of it, also where it ends with an error.
func (p *Plan) CarryOut(ctx context.Context, wait time.Duration, tell func(delivery.Change)) error {
	if err := p.record.write(ctx, p.plan.Record()); err != nil {
		return err
	}

	applied, err := p.plan.Apply(ctx)
	each(applied, tell)

	if err != nil {
		return err
	}

	if wait > 0 {
		if err := p.plan.Wait(ctx, wait); err != nil {
			return err
		}
	}

	// Who does not prune forgets nothing: what is gone from the files goes when somebody does.
	if !p.prune {
		return nil
	}

	pruned, left, err := p.plan.Prune(ctx)
	each(pruned, tell)

	return errors.Join(err, p.record.write(context.WithoutCancel(ctx), left))
}

func each(changes delivery.Changes, tell func(delivery.Change)) {
	for _, c := range changes {
		tell(c)
	}
}
