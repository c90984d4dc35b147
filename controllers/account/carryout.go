package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// carryOut does what was decided: it stops the tenant at once, and lets it run again in its turn. After a chargeback it puts
// a hold into the account's spec, which is how a person takes it away.
func (c *Controller) carryOut(ctx context.Context, s *situation) error {
	if s.tenant == nil {
		return nil
	}

	if s.standing.Chargeback && s.account.Spec.Hold == nil {
		if err := c.hold(ctx, s); err != nil {
			return err
		}
	}

	want := s.suspension()

	switch have, is := s.suspended(); {
	case undecided(s.unpriced):
		return nil
	case want != "":
		c.turns.forget(s.tenant.Name)

		if is && have == want {
			return nil
		}

		return c.suspend(ctx, s, want)
	case !is:
		c.turns.forget(s.tenant.Name)

		return nil
	default:
		if s.turn = c.turns.take(s.tenant.Name, s.now); s.turn > 0 {
			return nil
		}

		return c.resume(ctx, s)
	}
}

// undecided is true while what was decided last must stay as it is: the plan is missing, or the prices that it names are.
func undecided(unpriced error) bool {
	return unpriced != nil && !errors.Is(unpriced, billing.ErrNotBilled)
}

func (c *Controller) suspend(ctx context.Context, s *situation, reason string) error {
	if err := c.annotate(ctx, s, &reason); err != nil {
		return fmt.Errorf("suspend tenant %q: %w", s.tenant.Name, err)
	}

	c.metrics.suspended(reason)
	c.announceSuspension(s, reason)

	return nil
}

func (c *Controller) resume(ctx context.Context, s *situation) error {
	if err := c.annotate(ctx, s, nil); err != nil {
		return fmt.Errorf("resume tenant %q: %w", s.tenant.Name, err)
	}

	c.turns.forget(s.tenant.Name)
	c.metrics.resumed(s.now.Sub(s.standing.Since), s.standing.Since)
	c.announceResumption(s)

	return nil
}

// annotate sets the annotation of the tenant or removes it, and changes nothing else. What the pass knows of the tenant
// moves on, so that it reports what it has done.
func (c *Controller) annotate(ctx context.Context, s *situation, reason *string) error {
	slogctx.From(ctx).LogAttrs(ctx, slog.LevelInfo, "Changing the suspension of Tenant",
		slog.String(logkey.Tenant, s.tenant.Name), slog.Bool("suspend", reason != nil), slog.String(logkey.Reason, string(s.standing.Phase)))

	patch := metadataPatch(s.tenant, map[string]any{"annotations": map[string]*string{v1alpha1.AnnotationBillingSuspend: reason}})
	t := &v1alpha1.Tenant{}
	t.Name = s.tenant.Name

	if err := c.cached.Patch(ctx, t, patch, client.FieldOwner(fieldOwner)); err != nil {
		return client.IgnoreNotFound(err)
	}

	s.tenant = t
	c.memory.wrote(t)

	return nil
}

// metadataPatch changes metadata of the tenant of that UID, and of no other of its name.
func metadataPatch(t *v1alpha1.Tenant, metadata map[string]any) client.Patch {
	metadata["uid"] = t.UID

	return mergePatch(map[string]any{"metadata": metadata})
}

// mergePatch is a JSON merge patch of plain values, which cannot fail to be written.
func mergePatch(v map[string]any) client.Patch {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("account: a patch of strings cannot be written: %v", err))
	}

	return client.RawPatch(types.MergePatchType, data)
}

// reasonChargeback is the reason of a hold that Dogker sets itself.
const reasonChargeback = "Chargeback"

// hold writes into the account's spec that everything is stopped, as the ledger has decided when the payer's bank took a
// payment back. It is another write than that of the status: the spec is for people, who lift the hold by removing it.
func (c *Controller) hold(ctx context.Context, s *situation) error {
	slogctx.From(ctx).InfoContext(ctx, "Putting BillingAccount on hold after a chargeback", logkey.Tenant, s.tenant.Name)

	a := &billingv1.BillingAccount{}
	a.Namespace, a.Name = s.account.Namespace, s.account.Name
	// Of a version that nobody has changed since: a hold that somebody has set meanwhile says more than this one, and one that
	// somebody has just lifted stays lifted.
	patch := mergePatch(map[string]any{
		"metadata": map[string]any{"uid": s.account.UID, "resourceVersion": s.account.ResourceVersion},
		"spec": map[string]any{"hold": billingv1.AccountHold{
			Reason: reasonChargeback, Message: "The bank of whoever paid has taken a payment back. Please talk to us.",
		}},
	})

	if err := client.IgnoreNotFound(c.cached.Patch(ctx, a, patch, client.FieldOwner(fieldOwner))); err != nil {
		return fmt.Errorf("put account of %q on hold: %w", s.account.Namespace, err)
	}

	return nil
}
