package collector

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// grace is how long an object must have been seen without an owner before it is removed. It covers the time between
// the write of a secret and the write of the service that refers to it, and the time that stopping tasks hold on to
// the addresses of their network.
const grace = time.Minute

// Brake on mass removal: more unowned services than this, and more than this share of all, are not collected.
const (
	brakeCount = 10
	brakeShare = 0.3
)

// sort of object in Swarm.
type sort string

const (
	sortService sort = "service"
	sortSecret  sort = "secret"
	sortConfig  sort = "config"
	sortNetwork sort = "network"
)

// orphan is an object that seems to have no owner.
type orphan struct {
	sort sort
	item swarmobj.Item
}

// String is for logs.
func (o orphan) String() string { return fmt.Sprintf("remove %s %q", o.sort, o.item.Name) }

func (o orphan) key() string { return string(o.sort) + "/" + o.item.ID }

// declared is what the API holds.
type declared struct {
	// owners are the UIDs of all containers and jobs.
	owners map[string]bool
	// tenants are the namespaces that have containers, jobs or a Tenant.
	tenants map[string]bool
	// contents are the names of secrets and configs that a revision refers to.
	contents map[string]bool
}

// orphans lists what nobody seems to own, in the order of removal: what refers before what is referred to.
func orphans(inv swarmobj.Inventory, d declared) []orphan {
	var out []orphan

	busy := map[string]bool{}

	for _, s := range inv.Services {
		busy[s.Owner.Tenant] = true
		// What Dogker runs for itself has no object; who keeps it removes it.
		if s.Owner.Kind != swarmobj.KindAgents && !d.owners[s.Owner.UID] {
			out = append(out, orphan{sortService, s})
		}
	}

	unused := func(sort sort, items []swarmobj.Item) {
		for _, i := range items {
			if !inv.Referenced[i.Name] && !d.contents[i.Name] {
				out = append(out, orphan{sort, i})
			}
		}
	}

	unused(sortSecret, inv.Secrets)
	unused(sortConfig, inv.Configs)

	for _, n := range inv.Networks {
		if !busy[n.Owner.Tenant] && !d.tenants[n.Owner.Tenant] {
			out = append(out, orphan{sortNetwork, n})
		}
	}

	slices.SortStableFunc(out, func(a, b orphan) int {
		return cmp.Or(cmp.Compare(rank(a.sort), rank(b.sort)), cmp.Compare(a.item.Name, b.item.Name))
	})

	return out
}

func rank(s sort) int {
	return slices.Index([]sort{sortService, sortSecret, sortConfig, sortNetwork}, s)
}

// braked is true when so many services look unowned that the fault is more likely on our side.
func braked(found []orphan, services int) bool {
	n := 0
	for _, o := range found {
		if o.sort == sortService {
			n++
		}
	}

	return n > brakeCount && float64(n) > brakeShare*float64(services)
}

// ripe keeps the time at which each object was first seen unowned, and returns those whose time is up. What has an
// owner again is forgotten.
func ripe(seen map[string]time.Time, found []orphan, now time.Time) []orphan {
	current := map[string]bool{}

	var out []orphan

	for _, o := range found {
		key := o.key()
		current[key] = true

		first, known := seen[key]
		if !known {
			seen[key] = now
			continue
		}
		if now.Sub(first) >= grace {
			out = append(out, o)
		}
	}

	for key := range seen {
		if !current[key] {
			delete(seen, key)
		}
	}

	return out
}
