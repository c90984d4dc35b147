package converge

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// storeSeam is the name of the seam between loops and the API.
const storeSeam = "Store"

// connect returns the client of a process: reads from its cache, writes to the store, both through its seam. Reads of a
// cache are in memory and cannot fail for reasons of their own, so nothing goes wrong with them but their age.
func (p *Process) connect() (cached client.Client, live client.Reader) {
	base := p.run.Store.base
	write := func(ctx context.Context, op string, o client.Object, act func() error) error {
		return p.call(ctx, Call{Seam: storeSeam, Op: op, Target: p.name(o), Write: true}, act)
	}

	cached = interceptor.NewClient(base, interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
			if p.dead() {
				return ErrCrashed
			}

			return p.cache.get(key, o)
		},
		List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if p.dead() {
				return ErrCrashed
			}

			return p.cache.list(list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return write(ctx, "Create", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return write(ctx, "Update", o, func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return write(ctx, "Patch", o, func() error { return c.Patch(ctx, o, patch, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return write(ctx, "Delete", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, _ client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return write(ctx, "Patch-"+sub, o, func() error { return base.SubResource(sub).Patch(ctx, o, patch, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, _ client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			return write(ctx, "Update-"+sub, o, func() error { return base.SubResource(sub).Update(ctx, o, opts...) })
		},
	})

	live = interceptor.NewClient(base, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			call := Call{Seam: storeSeam, Op: "LiveGet", Target: p.run.Store.kindOf(o).Kind + "/" + key.String()}

			return p.call(ctx, call, func() error { return c.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			call := Call{Seam: storeSeam, Op: "LiveList", Target: p.run.Store.itemKind(list).Kind}

			return p.call(ctx, call, func() error { return c.List(ctx, list, opts...) })
		},
	})

	return cached, live
}

func (p *Process) name(o client.Object) string {
	return p.run.Store.kindOf(o).Kind + "/" + client.ObjectKeyFromObject(o).String()
}

// call makes a call to the store, or what the plan makes of it.
func (p *Process) call(ctx context.Context, call Call, act func() error) error {
	kind, err := p.Seam.Enter(ctx, call)
	if err != nil {
		return err
	}

	switch kind {
	case Refuse:
		return apierrors.NewInternalError(context.DeadlineExceeded)
	case Hang:
		return apierrors.NewTimeoutError("the server was unable to return a response in the time allotted", 1)
	case Late:
		time.AfterFunc(lateTime, func() { _ = act() })

		return apierrors.NewTimeoutError("the server was unable to return a response in the time allotted", 1)
	}

	err = act()

	if kind == Lose && err == nil {
		err = apierrors.NewTimeoutError("the connection was lost", 1)
	}

	if crashed := p.Seam.Leave(kind); crashed != nil {
		return crashed
	}

	return err
}
