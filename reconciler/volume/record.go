package volume

import (
	"cmp"
	"slices"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// newborn is how old a Volume may be that has no record because nobody has looked at it yet. An older one has lost it.
const newborn = 5 * time.Minute

// Mounting is a service in Swarm that mounts a Volume, or of which a task still does.
type Mounting struct {
	// Owner of the service, and For the Volume that the mount was made for, by its labels.
	Owner, For swarmobj.Owner
	// Node that its tasks are held to; empty when that is not one.
	Node string
}

// MountingOf describes the services among those that mount what engines call so.
func MountingOf(services []swarmobj.ServiceTasks, source string) []Mounting {
	var out []Mounting
	for _, s := range services {
		m := Mounting{Owner: s.Owner}
		found := m.take(&s.Service.Spec.TaskTemplate, source)
		for i := range s.Tasks {
			if t := &s.Tasks[i]; !t.Ended() && m.take(t.Spec, source) {
				found, m.Node = true, cmp.Or(t.NodeID, m.Node)
			}
		}
		if !found {
			continue
		}
		if m.Node == "" {
			m.Node = pinned(s.Service.Spec.TaskTemplate.Placement)
		}
		out = append(out, m)
	}

	return out
}

// take reads for which Volume the mount was made; false when there is none.
func (m *Mounting) take(spec *swarm.TaskSpec, source string) bool {
	if !swarmobj.MountsVolume(spec, source) {
		return false
	}
	i := slices.IndexFunc(spec.ContainerSpec.Mounts, func(x mount.Mount) bool { return x.Type == mount.TypeVolume && x.Source == source })
	if o := spec.ContainerSpec.Mounts[i].VolumeOptions; o != nil {
		m.For, _ = swarmobj.OwnerOf(o.Labels)
	}

	return true
}

// pinned is the one node that constraints hold tasks to. Two leave none, and nothing has run there.
func pinned(p *swarm.Placement) string {
	if p == nil {
		return ""
	}
	node := ""
	for _, text := range p.Constraints {
		id, ok := swarmobj.PinnedTo(text)
		switch {
		case !ok || id == node:
		case node != "":
			return ""
		default:
			node = id
		}
	}

	return node
}

// record is the node that is on record. It is firm when data may be there, so that another one must not be chosen silently.
func (v View) record() (at *v1alpha1.VolumeNode, firm bool) {
	s := &v.Volume.Status
	had := s.Node != nil && (s.ProvisionedAt != nil || s.MountedAt != nil)
	if had && !PutBack(v.Volume, v.Restores) {
		return s.Node, true
	}

	// The status is lost, was put back or is older than the services: Swarm knows where they run, if all of them agree.
	var nodes []string
	for _, m := range v.Mounting {
		if m.Node != "" && !slices.Contains(nodes, m.Node) {
			nodes = append(nodes, m.Node)
		}
	}
	switch {
	case len(nodes) == 1 && (s.Node == nil || s.Node.ID != nodes[0]):
		return &v1alpha1.VolumeNode{ID: nodes[0]}, true
	default:
		return s.Node, had || s.Node != nil && v.Mounted()
	}
}

// PutBack tells whether the status is one that the store was put back to, and was not held since against what there is. restores is how
// often the store was put back.
func PutBack(v *v1alpha1.Volume, restores int64) bool {
	return v.Status.Restores != nil && *v.Status.Restores != restores
}

// Mounted tells whether a task that mounts it may have run: a service is there for it, or a run of a job was begun.
func (v View) Mounted() bool {
	return len(v.Mounting) > 0 || slices.ContainsFunc(v.Consumers, func(c Consumer) bool { return c.Began })
}

// Whole tells whether it is known that nothing but the record says where data of the Volume is: because the record was never lost nor
// restored, because the Volume is new, or because all nodes have told.
func (v View) Whole() bool {
	s := &v.Volume.Status
	if s.Restores != nil && *s.Restores == v.Restores || len(v.silent()) == 0 && len(v.Nodes) > 0 {
		return true
	}

	return s.Restores == nil && s.Node == nil && v.Now.Sub(v.Volume.CreationTimestamp.Time) < newborn
}
