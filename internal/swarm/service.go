package swarm

import (
	"reflect"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// service is what the cache knows of one service. A service that is not ours is reduced to its name and its ports.
type service struct {
	owner swarmobj.Owner // The zero Owner for a service that is not ours.

	// shown is what others see. It is replaced as a whole and never changed.
	shown *swarm.Service
	// uncertain is true when shown was sent by us and not read since.
	uncertain bool
	// floor is the version from which on a read is news. What was read before our last write is older than the write.
	floor uint64
	// behind counts lists in a row that showed an older version than we know.
	behind int

	readAt  time.Time
	learned uint64 // Sequence number at which the engine last told us of it, or we wrote it.
	changed uint64 // Sequence number of the last change of shown.

	template templateKey
	sent     normal

	tasks    map[string]task // by ID
	specs    map[templateKey]*swarm.TaskSpec
	listed   uint64          // Sequence number at which the last list of the tasks was begun; 0 means never.
	view     []swarmobj.Task // Built from tasks when asked for; nil when out of date.
	viewedAt []swarm.Node    // The nodes that view was built with.
}

// normal remembers what the engine made of a template that we sent: it fills in and reorders. With it, tasks can be
// compared with a template that was sent and not read back yet.
type normal struct {
	sent, read templateKey
}

// maxBehind is after how many lists in a row an older version is believed. A manager may answer with an old state for a
// while, but a swarm that was restored from a backup does so for good.
const maxBehind = 20

// upsert takes in a service as the engine showed it. It returns what is to be done about it.
func (c *cache) upsert(read swarm.Service, listed bool) (n news) {
	if c.buried(read.ID) {
		return news{}
	}

	s, known := c.services[read.ID]
	if !known {
		s = &service{}
		c.services[read.ID] = s
	}

	s.learned = c.tick()

	switch index := read.Version.Index; {
	case !known || s.shown == nil:
	case index < s.floor:
		if s.behind++; !listed || s.behind < maxBehind {
			return news{}
		}
	case index == s.floor && !s.uncertain:
		s.behind, s.readAt = 0, time.Now()
		return c.count(s, read)
	}

	return c.replace(s, read)
}

// count takes in the counts of a service that has not changed otherwise.
func (c *cache) count(s *service, read swarm.Service) news {
	if s.uncertain || read.ServiceStatus == nil || s.owner == (swarmobj.Owner{}) {
		return news{}
	}

	n := news{recount: int(read.ServiceStatus.RunningTasks) != s.running()} //nolint:gosec // a number of tasks
	if !reflect.DeepEqual(s.shown.ServiceStatus, read.ServiceStatus) {
		shown := *s.shown
		shown.ServiceStatus = read.ServiceStatus
		s.shown, n.changed, n.owner = &shown, true, s.owner
	}

	return n
}

// news is what a read brought.
type news struct {
	changed bool           // Somebody who looks at the owner sees something else now.
	recount bool           // The number of running tasks differs from the tasks we know.
	owner   swarmobj.Owner // Of what has changed; may be the zero Owner.
	was     swarmobj.Owner // The owner before, when the labels were changed by hand.
}

// replace makes a newer version the one that is shown.
func (c *cache) replace(s *service, read swarm.Service) news {
	owner, ours := swarmobj.OwnerOf(read.Spec.Labels)
	if !ours {
		read = reduced(read)
	}

	old, was := s.shown, s.owner
	if read.ServiceStatus == nil && old != nil {
		read.ServiceStatus = old.ServiceStatus
	}

	c.unindex(s)
	same := old != nil && was == owner && !s.uncertain && sameToObservers(old, &read)
	s.owner, s.shown = owner, &read
	s.floor, s.behind, s.readAt = read.Version.Index, 0, time.Now()

	if ours && (old == nil || s.uncertain || !reflect.DeepEqual(old.Spec.TaskTemplate, read.Spec.TaskTemplate)) {
		key := keyOf(read.Spec.TaskTemplate)
		if s.uncertain {
			s.sent = normal{sent: keyOf(old.Spec.TaskTemplate), read: key}
		}
		s.template, s.view = key, nil
	}

	s.uncertain = false
	if !same {
		s.changed, s.view = s.learned, nil
	}
	c.index(s)

	n := news{changed: !same, owner: owner}
	if was != owner {
		n.was = was
	}
	if ours && read.ServiceStatus != nil {
		n.recount = int(read.ServiceStatus.RunningTasks) != s.running() //nolint:gosec // a number of tasks
	}

	return n
}

// sameToObservers is true when nothing that a controller decides by differs. The engine moves the version of a service
// for reasons of its own.
func sameToObservers(a, b *swarm.Service) bool {
	return reflect.DeepEqual(a.Spec, b.Spec) &&
		reflect.DeepEqual(a.PreviousSpec, b.PreviousSpec) &&
		reflect.DeepEqual(a.UpdateStatus, b.UpdateStatus) &&
		reflect.DeepEqual(a.ServiceStatus, b.ServiceStatus)
}

// reduced keeps of a service that is not ours what can stand in our way.
func reduced(s swarm.Service) swarm.Service {
	small := swarm.Service{ID: s.ID, Meta: s.Meta}
	small.Spec.Name = s.Spec.Name
	small.Endpoint.Ports = publishedPorts(&s)

	return small
}

// created takes in a service that we have created. It may have been read already: the event can be faster than the
// answer.
func (c *cache) created(id string, spec swarm.ServiceSpec) {
	if _, known := c.services[id]; known || c.buried(id) {
		return
	}

	owner, _ := swarmobj.OwnerOf(spec.Labels)
	seq := c.tick()
	s := &service{owner: owner, uncertain: true, learned: seq, changed: seq, template: keyOf(spec.TaskTemplate)}
	s.shown = &swarm.Service{ID: id, Spec: spec}
	s.shown.CreatedAt = time.Now()
	s.shown.UpdatedAt = s.shown.CreatedAt
	c.services[id] = s
	c.index(s)
}

// updated takes in what we have sent for a service whose version was the given one.
func (c *cache) updated(id string, version uint64, spec swarm.ServiceSpec) {
	s, known := c.services[id]
	if !known || s.floor > version {
		return // It is gone, or a read was faster than the answer and shows our write or a later one.
	}

	c.unindex(s)
	old := s.shown
	s.shown = &swarm.Service{
		ID: id, Meta: old.Meta, Spec: spec, PreviousSpec: &old.Spec, Endpoint: old.Endpoint, ServiceStatus: old.ServiceStatus,
	}
	s.owner, _ = swarmobj.OwnerOf(spec.Labels)
	s.uncertain, s.floor, s.view = true, version+1, nil
	s.learned = c.tick()
	s.changed = s.learned

	if key := keyOf(spec.TaskTemplate); key == s.sent.sent {
		s.template = s.sent.read
	} else {
		s.template = key
	}
	c.index(s)
}

// forget drops a service that is gone.
func (c *cache) forget(id string) swarmobj.Owner {
	s, known := c.services[id]
	if !known {
		return swarmobj.Owner{}
	}

	c.tick()
	c.unindex(s)
	delete(c.services, id)

	return s.owner
}

func (c *cache) index(s *service) {
	id := s.shown.ID
	c.named[s.shown.Spec.Name] = id
	c.ports.add(s)

	if s.owner == (swarmobj.Owner{}) {
		return
	}
	c.owned[s.owner.UID] = append(c.owned[s.owner.UID], s)
	if c.within[s.owner.Tenant] == nil {
		c.within[s.owner.Tenant] = map[string]swarmobj.Owner{}
	}
	c.within[s.owner.Tenant][s.owner.UID] = s.owner
}

func (c *cache) unindex(s *service) {
	if s.shown == nil {
		return
	}

	if c.named[s.shown.Spec.Name] == s.shown.ID {
		delete(c.named, s.shown.Spec.Name)
	}
	c.ports.remove(s)

	if s.owner == (swarmobj.Owner{}) {
		return
	}
	own := slices.DeleteFunc(slices.Clone(c.owned[s.owner.UID]), func(o *service) bool { return o == s })
	if len(own) > 0 {
		c.owned[s.owner.UID] = own
		return
	}

	delete(c.owned, s.owner.UID)
	delete(c.within[s.owner.Tenant], s.owner.UID)
	if len(c.within[s.owner.Tenant]) == 0 {
		delete(c.within, s.owner.Tenant)
	}
}
