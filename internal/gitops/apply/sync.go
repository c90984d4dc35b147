package apply

import (
	"context"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// Result is what a visit came to. With an error it has what was done until then.
type Result struct {
	// Changes are all objects, in the order in which they were dealt with.
	Changes delivery.Changes
	// Inventory is what is on record from now on.
	Inventory []inventory.Entry
	// Guard says why nothing was pruned although something is gone; empty when there is no such reason.
	Guard string
}

// Recorder makes the inventory of a sync outlive the process. It must have done so when it returns.
type Recorder func(ctx context.Context, entries []inventory.Entry) error

// Sync does all of it: plan, record, apply, wait, prune. A wait of zero waits for nothing.
//
// What a commit removes goes only when what it adds is Ready, where somebody waits for that: a bad commit then leaves what
// served before. record is called before the first write when it would leave something that is not on record yet; what is on
// record afterwards is the caller's to write together with the rest of the status.
func (a *Applier) Sync(ctx context.Context, r delivery.Request, wait time.Duration, record Recorder) (Result, error) {
	result := Result{Inventory: r.Recorded}

	p, err := a.Plan(ctx, r)
	if err != nil {
		return result, err
	}

	result.Guard = p.Guard()

	if before := p.Record(); !slices.Equal(before, r.Recorded) {
		if err := record(ctx, before); err != nil {
			return result, err
		}

		result.Inventory = before
	}

	if result.Changes, err = p.Apply(ctx); err != nil {
		return result, err
	}

	if wait > 0 {
		if err := p.Wait(ctx, wait); err != nil {
			return result, err
		}
	}

	pruned, left, err := p.Prune(ctx)
	result.Changes = append(result.Changes, pruned...)
	result.Inventory = left

	return result, err
}
