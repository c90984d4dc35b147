package swarm

import (
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// kind is a kind of object that the cache holds.
type kind string

const (
	kindService kind = "service"
	kindTask    kind = "task"
	kindNetwork kind = "network"
	kindSecret  kind = "secret"
	kindConfig  kind = "config"
	kindNode    kind = "node"
)

// kinds in the order in which they are listed first: services refer to the others, tasks to services.
var kinds = []kind{kindNode, kindNetwork, kindSecret, kindConfig, kindService, kindTask}

// cache is what is known of the swarm. All its methods need the engine's lock.
//
// Every change and every list gets a number from one sequence. A list says nothing about what was learned after the list
// was begun, and a removal that we made is not undone by a list from before it.
type cache struct {
	seq uint64

	services map[string]*service                  // by ID
	owned    map[string][]*service                // ours, by UID of the owner
	named    map[string]string                    // ID by name, of all services
	within   map[string]map[string]swarmobj.Owner // owners of services, by tenant and UID
	ports    portIndex

	networks map[string]*item // by ID, ours and others
	netNames map[string][]string
	contents map[kind]map[string]*item // secrets and configs of ours, by ID
	tenants  map[string]*tenant

	nodes []swarm.Node

	removed  map[string]time.Time // IDs that we removed. No read brings them back.
	listedAt map[kind]time.Time
}

func newCache() cache {
	return cache{
		services: map[string]*service{},
		owned:    map[string][]*service{},
		named:    map[string]string{},
		within:   map[string]map[string]swarmobj.Owner{},
		ports:    portIndex{},
		networks: map[string]*item{},
		netNames: map[string][]string{},
		contents: map[kind]map[string]*item{kindSecret: {}, kindConfig: {}},
		tenants:  map[string]*tenant{},
		removed:  map[string]time.Time{},
		listedAt: map[kind]time.Time{},
	}
}

// tick returns the next number of the sequence.
func (c *cache) tick() uint64 {
	c.seq++

	return c.seq
}

// bury remembers that an object was removed by us, for longer than any list that still shows it can be under way.
func (c *cache) bury(id string) {
	const grace = 2 * time.Minute

	now := time.Now()
	for old, at := range c.removed {
		if now.Sub(at) > grace {
			delete(c.removed, old)
		}
	}

	c.removed[id] = now
}

func (c *cache) buried(id string) bool {
	_, ok := c.removed[id]

	return ok
}

// remove takes an object out, and returns what it was called and whose it was.
func (c *cache) remove(k kind, id string) (name string, owner swarmobj.Owner, known bool) {
	if k != kindService {
		if it := c.itemsOf(k)[id]; it != nil {
			name = it.Name
		}
		owner, known = c.drop(k, id)

		return name, owner, known
	}

	if s := c.services[id]; s != nil {
		return s.shown.Spec.Name, c.forget(id), true
	}

	return "", swarmobj.Owner{}, false
}

// size is the number of objects of the kind.
func (c *cache) size(k kind) int {
	switch k {
	case kindService:
		return len(c.services)
	case kindTask:
		n := 0
		for _, s := range c.services {
			n += len(s.tasks)
		}

		return n
	case kindNetwork:
		return len(c.networks)
	case kindNode:
		return len(c.nodes)
	default:
		return len(c.contents[k])
	}
}

// expected lists the IDs of all objects of the kind that a list begun at the given number should have shown.
func (c *cache) expected(k kind, begun uint64) []string {
	var ids []string

	switch k {
	case kindService:
		for id, s := range c.services {
			if s.learned < begun {
				ids = append(ids, id)
			}
		}
	case kindNetwork:
		for id, n := range c.networks {
			if n.learned < begun {
				ids = append(ids, id)
			}
		}
	default:
		for id, n := range c.contents[k] {
			if n.learned < begun {
				ids = append(ids, id)
			}
		}
	}

	return ids
}

// look gathers what is known of one owner. It copies nothing that has a size.
func (c *cache) look(o swarmobj.Owner) swarmobj.World {
	w := swarmobj.World{Nodes: c.nodes, At: c.listedAt[kindService]}

	own := c.owned[o.UID]
	if mine := first(own, swarmobj.ServiceName(o.Tenant, o.Name)); mine != nil {
		w.Service = mine.shown
		w.Uncertain = mine.uncertain
		w.Tasks, w.TasksFresh = mine.tasksView(c.nodes), mine.tasksFresh()
		w.At = mine.readAt

		for _, other := range own {
			if other != mine {
				w.Duplicates = append(w.Duplicates, *other.shown)
			}
		}
	}

	if id, taken := c.named[swarmobj.ServiceName(o.Tenant, o.Name)]; taken && c.services[id].owner.UID != o.UID {
		w.Squatter = c.services[id].shown
	}

	w.Network, w.NetworkSquatter = c.networkOf(o.Tenant)
	w.Secrets, w.Configs = c.contentsOf(o.Tenant)

	return w
}

// first picks the owner's service: the one with the name it must have, or else the oldest.
func first(own []*service, name string) *service {
	var best *service

	for _, s := range own {
		switch {
		case s.shown.Spec.Name == name:
			return s
		case best == nil || s.shown.CreatedAt.Before(best.shown.CreatedAt):
			best = s
		}
	}

	return best
}

// owners lists all owners of services.
func (c *cache) owners() []swarmobj.Owner {
	out := make([]swarmobj.Owner, 0, len(c.owned))
	for _, own := range c.owned {
		out = append(out, own[0].owner)
	}

	return out
}
