package views

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/client-go/tools/cache"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/podview"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// podKey is how a pod is called.
type podKey struct{ namespace, name string }

// owned is what is shown of one owner's tasks.
type owned struct {
	pods map[string]seen // By name.
	// nodes that tasks are on, by ID.
	nodes map[string]bool
}

// seen is all that a pod was made of. While it is the same, so is the pod.
type seen struct {
	task, before        string
	version, beforeWas  uint64
	oomKilled, unwell   bool
	current             bool
	failed              int32
	service, revision   string
	adopted, image      string
	containerUID        string
	containerGeneration int64
	node                podview.Where
}

// nodeSeen is all that a node was made of.
type nodeSeen struct {
	version uint64
	name    string
	agent   podview.Agent
	agents  bool
	where   podview.Where
}

// refresh shows an owner's tasks as they are now.
func (v *Views) refresh(ctx context.Context, o swarmobj.Owner) {
	old := v.shown[o]
	if old == nil {
		old = &owned{}
	}
	now := &owned{pods: map[string]seen{}, nodes: map[string]bool{}}
	declared := v.declaration(o)

	for _, set := range v.Swarm.ServicesOf(o) {
		for _, t := range podview.Select(set.Tasks) {
			now.nodes[t.NodeID] = true
			v.show(ctx, &set, t, declared, old, now)
		}
	}
	for name := range old.pods {
		if _, still := now.pods[name]; !still {
			v.pods.shelf.remove(o.Tenant, name)
			v.displace(podKey{o.Tenant, name})
		}
	}

	if len(now.pods) == 0 {
		delete(v.shown, o)
		return
	}
	v.shown[o] = now
}

// show puts one task on the shelf, when something about it is new.
func (v *Views) show(ctx context.Context, set *swarmobj.ServiceTasks, t podview.Chosen, c *v1alpha1.TenantContainer, old, now *owned) {
	name := swarmobj.PodName(set.Owner, t.Slot, t.NodeID, t.ID)
	mark := markOf(set, &t, c, v.known[t.NodeID].where)
	now.pods[name] = mark
	if was, shown := old.pods[name]; shown && was == mark {
		return
	}

	in := podview.Input{Owner: set.Owner, Service: set.Service, Task: t, Node: mark.node}
	if c != nil {
		in.Declared = &c.Spec
	}
	r, err := podRow(podview.Pod(in))
	if err != nil {
		v.Log.ErrorContext(ctx, "Could not show task", logkey.Object, name, logkey.Err, err)
		return
	}
	v.pods.shelf.put(r)
	v.place(podKey{set.Owner.Tenant, name}, placed{place: placeOf(&t.TaskDetail), before: before(&t)})
}

func markOf(set *swarmobj.ServiceTasks, t *podview.Chosen, c *v1alpha1.TenantContainer, where podview.Where) seen {
	m := seen{
		task: t.ID, version: t.Version, oomKilled: t.OOMKilled, unwell: t.Unhealthy, current: t.Current, failed: t.Failed, node: where,
	}
	if b := t.Before; b != nil {
		m.before, m.beforeWas = b.ID, b.Version
	}
	if s := set.Service; s != nil {
		m.service, m.revision, m.adopted = s.Spec.Name, s.Spec.Labels[v1alpha1.SwarmLabelRevision], s.Spec.Labels[v1alpha1.SwarmLabelAdopted]
		m.image = s.Spec.Labels[v1alpha1.SwarmLabelImage]
	}
	if c != nil {
		m.containerUID, m.containerGeneration = string(c.UID), c.Generation
	}

	return m
}

// declaration is the container of an owner as it is declared; nil when it is not known.
func (v *Views) declaration(o swarmobj.Owner) *v1alpha1.TenantContainer {
	if v.containers == nil {
		return nil
	}
	object, known, err := v.containers.GetStore().GetByKey(cache.NewObjectName(o.Tenant, o.Name).String())
	if err != nil || !known {
		return nil
	}
	c, ok := object.(*v1alpha1.TenantContainer)
	if !ok || string(c.UID) != o.UID {
		return nil
	}

	return c
}

// refreshNodes shows the nodes as they are now, and returns the owners of tasks that show something of a node that is new.
func (v *Views) refreshNodes(ctx context.Context) []swarmobj.Owner {
	nodes := v.Swarm.Nodes()
	names := podview.Names(nodes)
	var agents map[string]fleet.NodeState
	if v.Agents != nil {
		agents = v.Agents.NodeStates()
	}

	touched := map[string]bool{}
	v.clearNames(names, touched)
	for i := range nodes {
		n := &nodes[i]
		mark := nodeSeen{version: n.Version.Index, name: names[n.ID], where: podview.Placed(n, names[n.ID])}
		if a, known := agents[n.ID]; known {
			mark.agents, mark.agent = true, podview.Agent{Own: a.Own, Version: a.Version, Problem: a.Problem, Since: a.Connected}
		}
		was, known := v.known[n.ID]
		if known && was == mark {
			continue
		}
		touched[n.ID] = was.where != mark.where
		v.known[n.ID] = mark
		if err := v.showNode(n, mark); err != nil {
			v.Log.ErrorContext(ctx, "Could not show node", logkey.Node, n.ID, logkey.Err, err)
		}
	}
	if len(touched) > 0 {
		v.nameNodes()
	}

	return v.ownersOn(touched)
}

// clearNames takes off the shelf what nodes were called that are gone, or are called otherwise now. It comes before anything is
// put there: another node may have the name already, such as one that has left the swarm and joined it again.
func (v *Views) clearNames(names map[string]string, touched map[string]bool) {
	for id, was := range v.known {
		name, there := names[id]
		if there && name == was.name {
			continue
		}
		v.nodes.shelf.remove("", was.name)
		if !there {
			touched[id] = true
			delete(v.known, id)
		}
	}
}

func (v *Views) showNode(n *swarm.Node, mark nodeSeen) error {
	var agent *podview.Agent
	if mark.agents {
		agent = &mark.agent
	}
	r, err := nodeRow(podview.Node(n, mark.name, agent))
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	v.nodes.shelf.put(r)

	return nil
}

func (v *Views) ownersOn(nodes map[string]bool) []swarmobj.Owner {
	var out []swarmobj.Owner
	for o, shown := range v.shown {
		for id := range shown.nodes {
			if nodes[id] {
				out = append(out, o)
				break
			}
		}
	}

	return out
}
