package volume

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// View is all that is known when a Volume is judged.
type View struct {
	Volume *v1alpha1.Volume
	// Class of it; nil when it is not there.
	Class *v1alpha1.VolumeClass
	// Nodes of the swarm.
	Nodes []swarm.Node
	// Consumers mount it.
	Consumers []Consumer
	// Counts is how many Volumes live on each node, by ID.
	Counts map[string]int
	// Held are the volumes of its name that nodes have told of.
	Held []Held
	// Told tells whether a node, by ID, has told lately which volumes it has.
	Told func(node string) bool
	// Mounting are the services in Swarm that mount it.
	Mounting []Mounting
	// Restores is how often the store was put back to an earlier time, and Now the present time.
	Restores int64
	Now      time.Time
	// AdoptedBy is the namespace and name of another Volume that the data it adopts belongs to; empty when there is none.
	AdoptedBy string
}

// Verdict is how a Volume stands.
type Verdict struct {
	// Node it lives on; nil when none is chosen, and when all see the data.
	Node *v1alpha1.VolumeNode
	// Seen is true when its data was seen on its node.
	Seen bool
	// Missing is true when its node has told that its data, which was there, is not. The node's engine has to be asked for it by
	// itself before it counts as lost.
	Missing bool
	// Left is the node on record that has told that it has no data, while Node has told of it; empty otherwise. Left has to be asked by
	// itself before that counts: lists are older than moves.
	Left string
	// Ready, Reason and Message are those of the condition. Stalled is true when only people can help.
	Ready           corev1.ConditionStatus
	Stalled         bool
	Reason, Message string
}

// Judge says how a Volume stands that is not being deleted.
func Judge(v View) Verdict {
	vol := v.Volume
	known := Verdict{Node: vol.Status.Node}

	switch {
	case v.Class == nil:
		return known.not(v1alpha1.ReasonClassNotFound, "The VolumeClass %q does not exist", vol.Spec.ClassName)
	case v.AdoptedBy != "":
		return known.stalled(v1alpha1.ReasonAlreadyAdopted, "spec.adopt: the data %q belongs to Volume %s", vol.Spec.Adopt, v.AdoptedBy)
	case v.taken() != "":
		return known.not(v1alpha1.ReasonInUse, "spec.adopt: the data %q is still mounted by %s; it is adopted when that has let go of it", vol.Spec.Adopt, v.taken())
	case v.Class.Spec.Access == v1alpha1.AccessMany:
		return Verdict{Seen: len(v.Held) > 0}.ready(v1alpha1.ReasonBound, "All nodes see it")
	case len(v.Nodes) == 0:
		// An engine that cannot be asked is never taken for an empty swarm.
		return known.unknown(v1alpha1.ReasonEngineUnavailable, "The nodes of the swarm are not known at the moment")
	}

	at, where := v.locate()
	switch where {
	case onNode, decided:
		out := v.stand(at, where == onNode)
		if on := vol.Status.Node; on != nil && on.ID != at && v.node(on.ID) != nil && v.Told(on.ID) && vol.Status.ProvisionedAt != nil {
			out.Left = on.ID
		}

		return out
	case ambiguous:
		return known.stalled(v1alpha1.ReasonAmbiguous, "Data of the name %q is on several nodes: %s; remove all but the one that counts", Name(vol), strings.Join(v.hosts(), ", "))
	default:
		return v.place()
	}
}

// whereabouts is what is known of the place of data.
type whereabouts int

const (
	// nowhere: no node is chosen, and no node has told of data.
	nowhere whereabouts = iota
	// decided: a node is chosen; no node has told of data.
	decided
	// onNode: a node has told of the data.
	onNode
	// ambiguous: several have, and none of them is the chosen one.
	ambiguous
)

// locate finds the node. What nodes tell wins over what is on record, unless the node on record has not told: data that is
// elsewhere as well must not be taken for that of a node that is away. On record is what the status says, and without it what
// Swarm holds tasks to that mount it. While it is being moved the record alone counts, because both nodes have data then. What an earlier
// move has left and kept is older, and never counts by itself.
func (v View) locate() (string, whereabouts) {
	chosen, firm := v.record()
	if m := v.Volume.Status.Move; m != nil && m.Phase == v1alpha1.MoveKept && chosen != nil && chosen.ID != m.From.ID {
		v.Held = slices.DeleteFunc(slices.Clone(v.Held), func(h Held) bool { return h.Node == m.From.ID })
	}
	holds := func(h Held) bool { return chosen != nil && h.Node == chosen.ID }

	switch {
	case slices.ContainsFunc(v.Held, holds):
		return chosen.ID, onNode
	case chosen != nil && Moves(v.Volume):
		return chosen.ID, decided
	case firm && v.node(chosen.ID) != nil && !v.Told(chosen.ID):
		return chosen.ID, decided
	case len(v.Held) == 1:
		return v.Held[0].Node, onNode
	case len(v.Held) > 1:
		return "", ambiguous
	case chosen == nil:
		return "", nowhere
	case !firm && v.node(chosen.ID) == nil:
		// Nothing has run there. While the node is there, data may be on it that no list shows yet.
		return "", nowhere
	default:
		return chosen.ID, decided
	}
}

// stand judges a Volume whose node is known.
func (v View) stand(id string, seen bool) Verdict {
	had := v.Volume.Status.ProvisionedAt != nil
	n := v.node(id)

	if n == nil {
		at, _ := v.record()
		if at == nil || at.ID != id {
			at = &v1alpha1.VolumeNode{ID: id}
		}

		return Verdict{Node: at, Seen: seen}.stalled(v1alpha1.ReasonNodeGone,
			"The node %s has left the swarm, and the data with it; let it join again, restore a snapshot on another node by spec.node and spec.restoreFrom, or delete the Volume", host(at))
	}

	out := Verdict{Node: &v1alpha1.VolumeNode{ID: n.ID, Hostname: n.Description.Hostname}, Seen: seen}

	switch {
	case n.Status.State != swarm.NodeStateReady:
		return out.not(v1alpha1.ReasonNodeDown, "The node %s, which has the data, is down; containers that mount it wait for the node", host(out.Node))
	case !seen && had && v.Told(id):
		out.Missing = true

		return out.stalled(v1alpha1.ReasonLost,
			"The data is gone from the node %s, and no empty volume is made in its place; restore a snapshot by spec.restoreFrom, put the data back there under the name %s, or delete the Volume",
			host(out.Node), Name(v.Volume))
	default:
		return out.ready(v1alpha1.ReasonBound, "It lives on the node %s", host(out.Node))
	}
}

// place judges a Volume whose node is not known.
func (v View) place() Verdict {
	vol := v.Volume

	if vol.Spec.Adopt != "" {
		silent := v.silent()
		if len(silent) > 0 {
			return Verdict{}.unknown(v1alpha1.ReasonNodeUnreachable, "spec.adopt: %q is on no node that answers; not known of: %s", vol.Spec.Adopt, strings.Join(silent, ", "))
		}

		return Verdict{}.stalled(v1alpha1.ReasonReleasedNotFound, "spec.adopt: no node has data of the name %q", vol.Spec.Adopt)
	}
	if one := vol.Spec.RestoreFrom != "" && len(v.Nodes) == 1; len(v.Consumers) == 0 && vol.Spec.Node == "" && !one {
		return Verdict{}.ready(v1alpha1.ReasonWaitForFirstConsumer, "Nothing mounts it yet; its node is chosen with the first container that does")
	}

	if silent := v.silent(); vol.Spec.Node == "" && !v.Whole() {
		return Verdict{}.unknown(v1alpha1.ReasonNodeUnreachable, "Its record is lost or was restored, and its data may be on a node that has not told what it has: %s; "+
			"it gets a node when they have told, or the one that spec.node names", strings.Join(silent, ", "))
	}

	n, why := Choose(Request{
		Key: vol.Namespace + "/" + vol.Name, Wish: vol.Spec.Node, Nodes: v.Nodes, Consumers: v.Consumers, Volumes: v.Counts,
	})
	if n == nil {
		return Verdict{}.not(v1alpha1.ReasonNoSuitableNode, "%s", capital(why))
	}
	out := Verdict{Node: &v1alpha1.VolumeNode{ID: n.ID, Hostname: n.Description.Hostname}}

	return out.ready(v1alpha1.ReasonBound, "It lives on the node %s", host(out.Node))
}

// taken is who still mounts data that the Volume adopts, as that of the Volume before it; empty when nobody does.
func (v View) taken() string {
	if v.Volume.Spec.Adopt == "" {
		return ""
	}
	for _, m := range v.Mounting {
		if m.For.UID != string(v.Volume.UID) {
			return fmt.Sprintf("%s %s/%s", m.Owner.Kind, m.Owner.Tenant, m.Owner.Name)
		}
	}

	return ""
}

func (v View) node(id string) *swarm.Node {
	for i := range v.Nodes {
		if v.Nodes[i].ID == id {
			return &v.Nodes[i]
		}
	}

	return nil
}

// hosts are the nodes that have told of data, for people.
func (v View) hosts() []string {
	var out []string
	for _, h := range v.Held {
		n := v.node(h.Node)
		if n == nil {
			out = append(out, h.Node)
			continue
		}
		out = append(out, cmp.Or(n.Description.Hostname, n.ID))
	}
	slices.Sort(out)

	return out
}

// silent are the nodes that have not told what they have, for people.
func (v View) silent() []string {
	left := slices.DeleteFunc(slices.Clone(v.Nodes), func(n swarm.Node) bool { return v.Told(n.ID) })

	return hostnames(left)
}

func host(n *v1alpha1.VolumeNode) string { return cmp.Or(n.Hostname, n.ID) }

func capital(s string) string {
	if s == "" || strings.HasPrefix(s, "spec.") {
		return s
	}

	return strings.ToUpper(s[:1]) + s[1:]
}

func (v Verdict) ready(reason, message string, args ...any) Verdict {
	v.Ready, v.Reason, v.Message = corev1.ConditionTrue, reason, fmt.Sprintf(message, args...)

	return v
}

func (v Verdict) not(reason, message string, args ...any) Verdict {
	v.Ready, v.Reason, v.Message = corev1.ConditionFalse, reason, fmt.Sprintf(message, args...)

	return v
}

func (v Verdict) unknown(reason, message string, args ...any) Verdict {
	v.Ready, v.Reason, v.Message = corev1.ConditionUnknown, reason, fmt.Sprintf(message, args...)

	return v
}

func (v Verdict) stalled(reason, message string, args ...any) Verdict {
	v = v.not(reason, message, args...)
	v.Stalled = true

	return v
}

// AdoptedBy returns the namespace and name of the Volume that the data which v adopts belongs to already: the one that it was made
// for, or the one that has adopted it before. It is empty when v may have it.
func AdoptedBy(v *v1alpha1.Volume, volumes []v1alpha1.Volume) string {
	if v.Spec.Adopt == "" || Name(v) != v.Spec.Adopt {
		return "" // What it has was restored; what it had adopted may be another's by now.
	}

	for i := range volumes {
		o := &volumes[i]
		if o.UID == v.UID || !slices.Contains(Names(o), v.Spec.Adopt) {
			continue
		}
		if o.Spec.Adopt != v.Spec.Adopt || o.CreationTimestamp.Before(&v.CreationTimestamp) ||
			o.CreationTimestamp.Equal(&v.CreationTimestamp) && o.UID < v.UID {
			return o.Namespace + "/" + o.Name
		}
	}

	return ""
}

// HasAnother tells whether data of v, by what engines call it, belongs to another Volume as well: then it is not for v to take away.
func HasAnother(v *v1alpha1.Volume, name string, volumes []v1alpha1.Volume) bool {
	return slices.ContainsFunc(volumes, func(o v1alpha1.Volume) bool {
		return o.UID != v.UID && slices.Contains(Names(&o), name)
	})
}
