package volume

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volume"
)

// operation is how a move and a restore stand at the end of a pass.
type operation struct {
	move, restore step
	// after is when to look again for data that was superseded; zero for no need.
	after time.Duration
}

// recorded is true when something was put on record: the pass ends with that.
func (o operation) recorded() bool { return o.move.recorded || o.restore.recorded }

// operate goes one step with whatever is under way, or begins something: a move before a restore, and one at a time.
func (c *Controller) operate(ctx context.Context, view volume.View, verdict volume.Verdict) (operation, error) {
	var (
		out operation
		err error
		v   = view.Volume
	)
	switch {
	case volume.Restores(v):
		out.restore, err = c.restore(ctx, v, c.wishOf(view, verdict, ""))
	case volume.Moves(v):
		to, _ := wished(view)
		out.move, err = c.move(ctx, v, to, "")
	default:
		if v.Status.Move != nil || v.Spec.Node != "" {
			out.move, err = c.beginMove(ctx, view, verdict)
		}
		if err == nil && !out.recorded() {
			out.restore, err = c.restore(ctx, v, c.wishOf(view, verdict, c.obstacle(view, verdict, v1alpha1.ReasonBound, v1alpha1.ReasonLost, v1alpha1.ReasonNodeGone)))
		}
		if err == nil && !out.recorded() {
			c.tidyJob(v)
		}
	}
	if err != nil || out.recorded() {
		return out, err
	}

	out.after, err = c.letGo(ctx, v)

	return out, err
}

// tidyJob forgets what an earlier step has ordered, when nothing is under way any more.
func (c *Controller) tidyJob(v *v1alpha1.Volume) {
	if !volume.Moves(v) && !volume.Restores(v) {
		c.end(string(v.UID))
	}
}

// beginMove moves a Volume to the node that it is wished to live on.
func (c *Controller) beginMove(ctx context.Context, view volume.View, verdict volume.Verdict) (step, error) {
	v := view.Volume
	c.dropKept(view)
	if view.Class == nil || view.Class.Spec.Access != v1alpha1.AccessSingle || v.Status.Node == nil || len(view.Nodes) == 0 {
		return step{}, nil
	}
	to, why := wished(view)
	switch {
	case why != "":
		return step{why: why, refused: true}, nil
	case to != "" && to != v.Status.Node.ID && !volume.Portable(view.Class):
		return step{refused: true, why: fmt.Sprintf("data of the VolumeClass %q is not in volumes of engines, and is not moved by Dogker", v.Spec.ClassName)}, nil
	}

	obstacle := c.obstacle(view, verdict, v1alpha1.ReasonBound)
	down := slices.ContainsFunc(view.Nodes, func(n swarm.Node) bool { return n.ID == to && n.Status.State != swarm.NodeStateReady })
	if to != "" && to != v.Status.Node.ID && obstacle == "" && !down {
		// What mounts it has to be able to run there. A node that is down is told of as one that does not answer.
		if n, why := volume.Choose(volume.Request{Wish: to, Nodes: view.Nodes, Consumers: view.Consumers}); n == nil {
			obstacle = why
		}
	}

	return c.move(ctx, v, to, obstacle)
}

// dropKept forgets that data was kept at the source of a move when somebody has removed it there.
func (c *Controller) dropKept(view volume.View) {
	m := view.Volume.Status.Move
	if m == nil || m.Phase != v1alpha1.MoveKept || !c.storage.Told(m.From.ID) && slices.ContainsFunc(view.Nodes, func(n swarm.Node) bool { return n.ID == m.From.ID }) {
		return
	}
	if !slices.ContainsFunc(view.Held, func(h volume.Held) bool { return h.Node == m.From.ID }) && len(view.Nodes) > 0 {
		view.Volume.Status.Move = nil
	}
}

// wished is the ID of the node that spec.node names; why says that it names none.
func wished(view volume.View) (to, why string) {
	v := view.Volume
	if v.Spec.Node == "" {
		return "", ""
	}
	if id := volume.Wished(v, view.Nodes); id != "" {
		return id, ""
	}
	// One that has left the swarm meanwhile is still meant.
	if m := v.Status.Move; m != nil && (v.Spec.Node == m.To.ID || strings.EqualFold(v.Spec.Node, m.To.Hostname)) {
		return m.To.ID, ""
	}
	if at := v.Status.Node; at != nil && (v.Spec.Node == at.ID || strings.EqualFold(v.Spec.Node, at.Hostname)) {
		return at.ID, ""
	}

	return "", fmt.Sprintf("spec.node: %q is not the hostname or ID of exactly one node of the swarm", v.Spec.Node)
}

// obstacle is why nothing begins now: it is not known for sure where the data is, or the Volume does not stand in one of these ways.
func (c *Controller) obstacle(view volume.View, verdict volume.Verdict, reasons ...string) string {
	s := &view.Volume.Status
	switch {
	case !slices.Contains(reasons, verdict.Reason):
		return verdict.Message
	case s.Restores == nil || *s.Restores != c.restores:
		return "its record was lost or put back, and not all nodes have told yet what they have"
	default:
		return ""
	}
}

// wishOf is what is to be restored, and where: on the node that it lives on, or on the one that spec.node names when that has left the
// swarm.
func (c *Controller) wishOf(view volume.View, verdict volume.Verdict, obstacle string) restoring {
	v := view.Volume
	r := restoring{snapshot: string(v.Spec.RestoreFrom), class: view.Class, obstacle: obstacle}
	switch at := v.Status.Restore; {
	case volume.Restores(v):
		r.node = at.Node.ID
		if on := verdict.Node; on != nil && on.ID != r.node && verdict.Reason == v1alpha1.ReasonBound {
			r.node = on.ID
		}
	case verdict.Reason == v1alpha1.ReasonNodeGone:
		to, _ := wished(view)
		if r.obstacle == "" && (to == "" || verdict.Node != nil && to == verdict.Node.ID) {
			r.obstacle = "the node that it lived on has left the swarm; name another one in spec.node"
		}
		r.node = to
	case verdict.Node != nil:
		r.node = verdict.Node.ID
	}

	return r
}
