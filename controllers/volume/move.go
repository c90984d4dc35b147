package volume

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
	"github.com/dogker/dogker/reconciler/volumemove"
)

// move goes one step with a move, or begins one. obstacle is why none may begin now; empty when one may.
func (c *Controller) move(ctx context.Context, v *v1alpha1.Volume, to, obstacle string) (step, error) {
	state := moveState(v)
	wish := volumemove.Wish{Volume: string(v.UID), Generation: v.Generation, Node: to}
	if f := state.Failed; f != nil && f.To == to {
		wish.Generation = f.Wish // Whatever else of the spec has changed since, this is the same wish.
	}
	if state.Move == nil && to != "" && to != state.Node && obstacle != "" {
		return step{why: obstacle}, nil
	}

	at, why := c.seeMove(ctx, v, state, wish)
	if why != "" {
		return step{why: why, after: later}, nil
	}
	d := volumemove.Decide(state, wish, at)
	if c.putMove(v, d.State) {
		return step{recorded: true}, nil
	}
	if d.Do == volumemove.Nothing {
		return step{why: d.Why, refused: d.Refused, after: c.patience(v, state, d.After, at.Now)}, nil
	}

	return c.doMove(ctx, v, d)
}

// patience is when a move is looked at again that waits.
func (c *Controller) patience(v *v1alpha1.Volume, s volumemove.State, after, now time.Time) time.Duration {
	_, job := c.work.Job(string(v.UID))

	switch {
	case !after.IsZero():
		return max(after.Sub(now), time.Second)
	case s.Move == nil:
		return 0
	case s.Move.Phase == volumemove.Stopping:
		return soon
	case job:
		return later
	default:
		return 5 * soon
	}
}

// seeMove collects what a move is decided by. A job that removes what is left at the source is waited for; why says so.
func (c *Controller) seeMove(ctx context.Context, v *v1alpha1.Volume, s volumemove.State, w volumemove.Wish) (out volumemove.Seen, why string) {
	name := volume.Name(v)
	out = volumemove.Seen{Now: c.now(), Never: v.Status.ProvisionedAt == nil && v.Status.MountedAt == nil && v.Status.Restored == nil}

	job, has := c.work.Job(string(v.UID))
	switch {
	case has && job.Kind == volumejob.Remove && !job.Ended:
		return out, "what is left on the node that it has left is being removed"
	case has && job.Kind == volumejob.Remove:
		out.Changed = job.Changed && s.Move != nil && job.Operation == operationOf(w, s.Move)
		if job.Err != "" {
			c.work.Dismiss(string(v.UID))

			return out, "what is left on the node that it has left cannot be removed: " + job.Err
		}
	case has:
		out.Job = &volumemove.Job{
			Operation: job.Operation, Verifies: job.Kind == volumejob.Verify, Ended: job.Ended, Err: job.Err, Permanent: job.Permanent,
			Digest: job.Digest, Source: job.SourceDigest, Target: job.TargetDigest,
		}
	}

	from, to := s.Node, w.Node
	if s.Move != nil {
		from, to = s.Move.From, s.Move.To
	}
	if s.Move == nil && (to == "" || to == from || s.Failed != nil && s.Failed.Wish >= w.Generation) {
		return out, "" // Nothing is to be seen.
	}
	out.Source = presence(c.look(ctx, v, volumejob.Place{Node: from, Name: name}))
	out.Target = presence(c.look(ctx, v, volumejob.Place{Node: to, Name: name}))
	out.Idle, out.Settled = c.idle(name), c.settled(name, s.Node)
	if s.Move == nil {
		out.Run = c.runOf(ctx, v, name)
	}
	if out.Idle && s.Move != nil && s.Move.Phase == volumemove.Stopping {
		out.Idle = c.claimed(ctx, v) == "" && !c.lingers(ctx, v.Namespace, name)
	}

	return out, ""
}

func presence(s seen) volumemove.Presence {
	return volumemove.Presence{Known: s.known, Gone: s.gone, Silent: s.silent, There: s.There, Operation: s.Operation}
}

func operationOf(w volumemove.Wish, m *volumemove.Move) string {
	return volumemove.Operation(w.Volume, m.Wish, m.Try)
}

// doMove does what was decided, if the store still has the record that it was decided by.
func (c *Controller) doMove(ctx context.Context, v *v1alpha1.Volume, d volumemove.Decision) (step, error) {
	if is, err := c.current(ctx, v); err != nil || !is {
		return step{why: d.Why, after: soon}, err
	}
	m, owner := d.State.Move, string(v.UID)
	from, to := volumejob.Place{Node: m.From, Name: volume.Name(v)}, volumejob.Place{Node: m.To, Name: volume.Name(v)}
	o := volumejob.Order{Owner: owner, Namespace: v.Namespace, Operation: d.Operation, Source: from, Target: to}

	switch d.Do {
	case volumemove.Copy:
		o.Kind, o.Make = volumejob.Copy, volumejob.Making{Labels: volume.Owner(v).Labels()}
		c.order(o)
	case volumemove.Verify:
		o.Kind = volumejob.Verify
		c.order(o)
	case volumemove.RemoveSource:
		o.Kind, o.Target, o.Maker, o.Digest = volumejob.Remove, volumejob.Place{}, m.Source, m.Digest
		o.Operation = volumemove.Operation(owner, m.Wish, m.Try)
		c.order(o)
	case volumemove.Cancel:
		if c.end(owner) {
			return step{why: d.Why, after: atOnce}, nil
		}
	case volumemove.Discard:
		why, err := c.discard(ctx, to, d.Operation)
		if err != nil || why == "" {
			return step{why: d.Why, after: atOnce}, err
		}

		return step{why: why, after: later}, nil
	case volumemove.Nothing:
	}

	return step{why: d.Why, after: later}, nil
}

// moveState is what is on record, as volumemove reads it.
func moveState(v *v1alpha1.Volume) volumemove.State {
	var s volumemove.State
	if v.Status.Node != nil {
		s.Node = v.Status.Node.ID
	}
	m := v.Status.Move
	if m == nil {
		return s
	}

	switch m.Phase {
	case v1alpha1.MoveGivenUp:
		s.Failed = &volumemove.Failure{Wish: m.Generation, To: m.To.ID, Reason: m.Message}
	case v1alpha1.MoveKept:
		s.Kept = m.From.ID
	default:
		s.Move = &volumemove.Move{
			Wish: m.Generation, From: m.From.ID, To: m.To.ID, Source: m.Source, Phase: volumemove.Phase(m.Phase),
			Try: int(m.Try), Failures: int(m.Failures), Digest: m.Digest, Reason: m.Message,
		}
		if m.NotBefore != nil {
			s.Move.NotBefore = m.NotBefore.Time
		}
	}

	return s
}

// putMove puts a state on record. It is false when that is there already.
func (c *Controller) putMove(v *v1alpha1.Volume, s volumemove.State) bool {
	before := v.Status.Move
	var now *v1alpha1.VolumeMove

	switch m := s.Move; {
	case m != nil:
		now = &v1alpha1.VolumeMove{
			Generation: m.Wish, From: c.nodeNamed(v, m.From), To: c.nodeNamed(v, m.To), Phase: v1alpha1.MovePhase(m.Phase), Source: m.Source,
			Try: int32(m.Try), Failures: int32(m.Failures), Digest: m.Digest, Message: cut(m.Reason), //nolint:gosec // Tries end after a few.
		}
		if !m.NotBefore.IsZero() {
			now.NotBefore = &metav1.Time{Time: m.NotBefore.Truncate(time.Second)}
		}
	case s.Failed != nil:
		from := v1alpha1.VolumeNode{}
		if v.Status.Node != nil {
			from = *v.Status.Node
		}
		now = &v1alpha1.VolumeMove{Generation: s.Failed.Wish, From: from, To: c.nodeNamed(v, s.Failed.To), Phase: v1alpha1.MoveGivenUp, Message: cut(s.Failed.Reason)}
	case s.Kept != "" && before != nil:
		now = before.DeepCopy()
		now.Phase, now.Message = v1alpha1.MoveKept, "what was left there had changed after it was copied, and is kept"
		if before.Phase == v1alpha1.MoveKept {
			now.Message = before.Message
		} else if !slices.ContainsFunc(c.swarm.Nodes(), func(n swarm.Node) bool { return n.ID == before.To.ID }) {
			now.Message = "what was left there is older, and is kept because the node that it had moved to has left the swarm"
		}
	}

	if sameMove(before, now) && (v.Status.Node == nil || v.Status.Node.ID == s.Node) {
		return false
	}
	if v.Status.Node != nil && v.Status.Node.ID != s.Node {
		at := c.nodeNamed(v, s.Node)
		v.Status.Node = &at
		if now != nil && v.Status.ProvisionedAt == nil {
			v.Status.ProvisionedAt = new(metav1.NewTime(c.now()).Rfc3339Copy()) // It was read there.
		}
	}
	v.Status.Move = now
	c.tellMove(v, before, now)

	return true
}

// sameMove compares what is decided by, and neither names of nodes nor fractions of seconds.
func sameMove(a, b *v1alpha1.VolumeMove) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.From.Hostname, x.To.Hostname, y.From.Hostname, y.To.Hostname = "", "", "", ""
	if x.Phase == y.Phase && x.Phase == v1alpha1.MoveGivenUp {
		x.From, y.From = v1alpha1.VolumeNode{}, v1alpha1.VolumeNode{}
	}
	at := func(t *metav1.Time) int64 {
		if t == nil {
			return 0
		}

		return t.Unix()
	}
	same := at(x.NotBefore) == at(y.NotBefore)
	x.NotBefore, y.NotBefore = nil, nil

	return same && x == y
}

// nodeNamed is a node with its name, as Swarm or the record knows it.
func (c *Controller) nodeNamed(v *v1alpha1.Volume, id string) v1alpha1.VolumeNode {
	for _, n := range c.swarm.Nodes() {
		if n.ID == id {
			return v1alpha1.VolumeNode{ID: id, Hostname: n.Description.Hostname}
		}
	}
	known := []*v1alpha1.VolumeNode{v.Status.Node}
	if m := v.Status.Move; m != nil {
		known = append(known, &m.From, &m.To)
	}
	if r := v.Status.Restore; r != nil {
		known = append(known, &r.Node)
	}
	if i := slices.IndexFunc(known, func(n *v1alpha1.VolumeNode) bool { return n != nil && n.ID == id }); i >= 0 {
		return *known[i]
	}

	return v1alpha1.VolumeNode{ID: id}
}

// Reasons of events of moves.
const (
	eventMoving     = "Moving"
	eventMoved      = "Moved"
	eventMoveFailed = "MoveFailed"
	eventMoveKept   = "SourceKept"
)

// tellMove says what has begun or ended.
func (c *Controller) tellMove(v *v1alpha1.Volume, before, now *v1alpha1.VolumeMove) {
	phase := func(m *v1alpha1.VolumeMove) v1alpha1.MovePhase {
		if m == nil {
			return ""
		}

		return m.Phase
	}
	was, is := phase(before), phase(now)
	if was == is {
		return
	}

	switch {
	case is == v1alpha1.MoveStopping && was != v1alpha1.MoveCopying && was != v1alpha1.MoveVerifying:
		c.recorder.Event(v, corev1.EventTypeNormal, eventMoving, fmt.Sprintf("Moving from %s to %s: stopping what mounts it", host(now.From), host(now.To)))
	case is == v1alpha1.MoveMoved:
		c.recorder.Event(v, corev1.EventTypeNormal, eventMoved, fmt.Sprintf("Moved from %s to %s: its data was copied and verified", host(now.From), host(now.To)))
	case is == "" && was == v1alpha1.MoveStopping:
		c.recorder.Event(v, corev1.EventTypeNormal, eventMoved, fmt.Sprintf("Moved from %s to %s: it had no data yet", host(before.From), host(before.To)))
	case is == v1alpha1.MoveGivenUp:
		c.recorder.Event(v, corev1.EventTypeWarning, eventMoveFailed, capital(now.Message))
	case is == v1alpha1.MoveKept:
		c.recorder.Event(v, corev1.EventTypeWarning, eventMoveKept, fmt.Sprintf("On %s, under the name %s, %s", host(now.From), volume.Name(v), now.Message))
	}
}

func capital(s string) string {
	if s == "" || strings.HasPrefix(s, "spec.") {
		return s
	}

	return strings.ToUpper(s[:1]) + s[1:]
}

// maxMessage is how long a message of a record may be.
const maxMessage = 512

func cut(s string) string {
	r := []rune(s)
	if len(r) <= maxMessage {
		return s
	}

	return string(r[:maxMessage-1]) + "…"
}
