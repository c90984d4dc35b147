package gitsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// space is a namespace: an Applier that holds whoever uses it to what must be on record.
type space struct {
	w *world
	// live has the values of what is there.
	live map[inventory.ID]string
	// sick are not healthy, and when dying is set they never will be.
	sick  map[string]bool
	dying bool
	// refuses are objects that the API does not take.
	refuses map[string]delivery.Reason
	// dies is after how many writes the process does, or its connection; 0 for never.
	dies   int
	writes int
}

var errDied = errors.New("the connection was cut")

// write counts, and fails when it is time.
func (s *space) write() error {
	if s.dies > 0 {
		if s.dies--; s.dies == 0 {
			return errDied
		}
	}

	s.writes++

	return nil
}

// onRecord is whether the store says that a sync answers for an object.
func (s *space) onRecord(sync types.NamespacedName, id inventory.ID) bool {
	stored := s.w.stored(sync.Name)

	return stored != nil && slices.ContainsFunc(entries(stored.Status.Inventory), func(e inventory.Entry) bool { return e.ID == id.String() })
}

// has are the names and values of what is there.
func (s *space) has() map[string]string {
	out := map[string]string{}
	for id, value := range s.live {
		out[id.Name] = value
	}

	return out
}

// Forget implements Applier.
func (s *space) Forget(types.NamespacedName) {}

// plan is a Plan.
type plan struct {
	*space

	request  delivery.Request
	wanted   map[inventory.ID]string
	order    []inventory.Object
	decision inventory.Decision
}

// Plan implements Applier.
func (s *space) Plan(_ context.Context, r delivery.Request) (Plan, error) {
	recorded, err := inventory.Read(r.Recorded)
	if err != nil {
		return nil, err
	}

	p := &plan{space: s, request: r, wanted: map[inventory.ID]string{}}

	var wrong delivery.Errors

	for _, o := range r.Objects {
		var parsed struct {
			Metadata struct{ Name string }
			Data     struct{ Value string }
		}
		if err := json.Unmarshal(o.JSON, &parsed); err != nil {
			return nil, err
		}

		if reason, refused := s.refuses[parsed.Metadata.Name]; refused {
			wrong = append(wrong, &delivery.Error{
				File: o.File, Line: o.Line, Object: "ConfigMap/" + parsed.Metadata.Name, Reason: reason, Message: "is refused",
				Transient: reason == delivery.ReasonQuotaExceeded,
			})
		}

		id := inventory.ID{Namespace: r.Sync.Namespace, Name: parsed.Metadata.Name, Kind: "ConfigMap"}
		p.wanted[id] = parsed.Data.Value
		p.order = append(p.order, inventory.Object{ID: id, Version: "v1"})
	}

	if len(wrong) > 0 {
		return nil, wrong
	}

	p.decision = inventory.Decide(inventory.Situation{Recorded: recorded, Built: p.order, Prune: r.Prune, AllowEmpty: r.AllowEmpty})

	return p, nil
}

// Record implements Plan.
func (p *plan) Record() []inventory.Entry { return inventory.Write(p.decision.Before) }

// Guard implements Plan.
func (p *plan) Guard() string { return p.decision.Guard }

// Changes implements Plan.
func (p *plan) Changes() delivery.Changes {
	var out delivery.Changes

	for _, o := range p.order {
		value, there := p.live[o.ID]

		switch {
		case !there:
			out = append(out, delivery.Change{ID: o.ID, Action: delivery.Created})
		case value != p.wanted[o.ID]:
			out = append(out, delivery.Change{ID: o.ID, Action: delivery.Configured})
		default:
			out = append(out, delivery.Change{ID: o.ID, Action: delivery.Unchanged})
		}
	}

	return out
}

// Apply implements Plan.
func (p *plan) Apply(context.Context) (delivery.Changes, error) {
	var done delivery.Changes

	for _, c := range p.Changes() {
		if c.Action.Writes() {
			if !p.onRecord(p.request.Sync, c.ID) {
				p.w.t.Errorf("%s is written before it is on record", c.ID)
			}

			if err := p.write(); err != nil {
				return done, err
			}

			p.live[c.ID] = p.wanted[c.ID]
		}

		done = append(done, c)
	}

	return done, nil
}

// Health implements Plan.
func (p *plan) Health(context.Context) (delivery.Errors, bool, error) {
	var out delivery.Errors

	for _, o := range p.order {
		if p.sick[o.ID.Name] {
			out = append(out, &delivery.Error{Object: "ConfigMap/" + o.ID.Name, Reason: delivery.ReasonUnhealthy, Message: "is not ready"})
		}
	}

	return out, p.dying && len(out) > 0, nil
}

// Prune implements Plan.
func (p *plan) Prune(context.Context) (delivery.Changes, []inventory.Entry, error) {
	var done delivery.Changes

	for _, o := range p.decision.Delete {
		if !p.onRecord(p.request.Sync, o.ID) {
			p.w.t.Errorf("%s is deleted and was never on record", o.ID)
		}

		if _, there := p.live[o.ID]; !there {
			continue
		}

		if err := p.write(); err != nil {
			return done, p.Record(), fmt.Errorf("delete %s: %w", o.ID, err)
		}

		delete(p.live, o.ID)

		done = append(done, delivery.Change{ID: o.ID, Action: delivery.Deleted})
	}

	built := slices.Clone(p.order)

	return done, inventory.Write(p.decision.After(built, nil)), nil
}

// foreign makes an object that is no sync's.
func (s *space) foreign(name string) {
	s.live[inventory.ID{Namespace: app.Namespace, Name: name, Kind: "ConfigMap"}] = "foreign"
}
