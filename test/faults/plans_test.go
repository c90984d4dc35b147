package faults

import (
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/converge"
)

// outages are plans in which something is away for a while, or lies.
func outages() converge.Planner {
	const from, until = 0, time.Minute

	engine := func(p converge.Point) bool { return p.Seam == "Engine" }
	lists := func(p converge.Point) bool {
		return p.Seam == "Engine" && slices.Contains([]string{"ServiceList", "TaskList", "NetworkList", "SecretList", "ConfigList", "NodeList"}, p.Op)
	}

	return converge.Just(
		converge.Outage("engine-refuses-everything", converge.Refuse, from, until, engine),
		converge.Outage("engine-refuses-later", converge.Refuse, 300*time.Millisecond, until, engine),
		converge.Outage("engine-hangs-on-writes", converge.Hang, from, until, func(p converge.Point) bool { return engine(p) && p.Write }),
		converge.Outage("engine-loses-answers", converge.Lose, from, until, func(p converge.Point) bool { return engine(p) && p.Write }),
		converge.Outage("engine-answers-late", converge.Late, from, until, func(p converge.Point) bool { return engine(p) && p.Write }),
		converge.Outage("lists-are-empty", converge.Empty, from, until, lists),
		converge.Outage("lists-are-half", converge.Half, from, until, lists),
		converge.Outage("lists-become-empty", converge.Empty, 400*time.Millisecond, until, lists),
		converge.Outage("service-list-fails", converge.Refuse, from, until, func(p converge.Point) bool { return p.Op == "ServiceList" }),
		converge.Outage("task-list-fails", converge.Refuse, from, until, func(p converge.Point) bool { return p.Op == "TaskList" }),
		converge.Outage("registry-away", converge.Refuse, from, until, func(p converge.Point) bool { return p.Seam == "Registry" }),
		converge.Outage("store-refuses-writes", converge.Refuse, from, until, func(p converge.Point) bool { return p.Seam == "Store" }),
		converge.Outage("store-answers-late", converge.Late, from, 20*time.Second, func(p converge.Point) bool { return p.Seam == "Store" && p.Write }),
		away("engine-away", from, until, swarm.ErrConnection()),
		away("engine-away-later", 400*time.Millisecond, until, swarm.ErrConnection()),
		away("no-leader", 300*time.Millisecond, until, swarm.ErrNoLeader()),
		away("not-a-manager", from, until, swarm.ErrNotManager()),
		away("swarm-inactive", from, until, swarm.ErrInactive()),
	)
}

// away makes the engine answer every call with that error for a while. Containers go on.
func away(name string, from, until time.Duration, err error) converge.Plan {
	return converge.Plan{
		Name:     name,
		Patience: until + 2*time.Minute,
		Prepare: func(r *converge.Run) {
			cluster := r.World.(*world).cluster
			if from == 0 {
				cluster.SetDown(err)
			} else {
				time.AfterFunc(from, func() { cluster.SetDown(err) })
			}

			time.AfterFunc(until, func() { cluster.SetDown(nil) })
		},
	}
}

// events are plans in which the engine's events get lost, one at a time or all, come twice, late, or in another order.
func lostEvents(n int) converge.Planner {
	once := func(m events.Message) []swarm.Delivery { return []swarm.Delivery{{Message: m}} }

	plans := []converge.Plan{
		tampered("all-events-lost", func(int) func(events.Message) []swarm.Delivery {
			return func(events.Message) []swarm.Delivery { return nil }
		}),
		tampered("events-twice", func(int) func(events.Message) []swarm.Delivery {
			return func(m events.Message) []swarm.Delivery {
				return []swarm.Delivery{{Message: m}, {Message: m, After: time.Second}}
			}
		}),
		tampered("events-late", func(int) func(events.Message) []swarm.Delivery {
			return func(m events.Message) []swarm.Delivery {
				return []swarm.Delivery{{Message: m, After: 40 * time.Second}}
			}
		}),
		tampered("events-in-another-order", func(i int) func(events.Message) []swarm.Delivery {
			return func(m events.Message) []swarm.Delivery {
				return []swarm.Delivery{{Message: m, After: time.Duration(1+i%3) * 700 * time.Millisecond}}
			}
		}),
	}

	for lost := range n {
		plans = append(plans, tampered(fmt.Sprintf("event-%d-lost", lost+1), func(i int) func(events.Message) []swarm.Delivery {
			if i == lost {
				return func(events.Message) []swarm.Delivery { return nil }
			}

			return once
		}))
	}

	return converge.Just(plans...)
}

// tampered is a plan in which the ith event is delivered as deliver says.
func tampered(name string, deliver func(i int) func(events.Message) []swarm.Delivery) converge.Plan {
	return converge.Plan{
		Name:     name,
		Patience: 2 * time.Minute,
		Prepare: func(r *converge.Run) {
			i := -1

			// The cluster calls this with its lock held, one event at a time.
			r.World.(*world).cluster.TamperEvents(func(m events.Message) []swarm.Delivery {
				i++

				return deliver(i)(m)
			})
		},
	}
}
