package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// apply carries the steps out, in order, and stops at the first that fails. It makes no choices; the rest is for the next
// pass, which looks again.
func (c *Controller) apply(ctx context.Context, s *situation, steps []step) error {
	log := slogctx.From(ctx)

	for _, st := range steps {
		log.LogAttrs(ctx, slog.LevelInfo, "Changing what Tenant needs", slog.String(logkey.Step, st.String()))

		if err := c.do(ctx, st); err != nil {
			return fmt.Errorf("%s: %w", st, sight.Lost(err))
		}

		c.announce(s.tenant, st)
	}

	return nil
}

func (c *Controller) do(ctx context.Context, st step) error {
	switch st := st.(type) {
	case createObject:
		return c.cached.Create(ctx, st.object, client.FieldOwner(fieldOwner))
	case updateObject:
		return c.cached.Update(ctx, st.object, client.FieldOwner(fieldOwner))
	case removeObject:
		uid := st.object.GetUID()

		return client.IgnoreNotFound(c.cached.Delete(ctx, st.object, client.Preconditions{UID: &uid}))
	case createNetwork:
		_, err := c.swarm.CreateTenantNetwork(ctx, st.owner, st.spec)
		if errors.Is(err, swarmobj.ErrExists) {
			return nil // The next look shows whose it is.
		}

		return err
	case removeNetwork:
		return c.swarm.RemoveNetwork(ctx, st.tenant)
	default:
		panic(fmt.Sprintf("tenant: step %T has nobody who does it", st))
	}
}
