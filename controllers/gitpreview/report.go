package gitpreview

import (
	"errors"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/preview"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	// maxWaiting is how many of the references that wait are in status.
	maxWaiting = 50
	// maxActive is how many previews are, which is as many as a plan can allow.
	maxActive = 100
	// troubled is when a preview is looked at again that lacks something: nobody tells of a Secret that is there now.
	troubled = 30 * time.Second
	// recorded is how soon what had its time is deleted, once that is on record.
	recorded = time.Second
)

// report writes what there is into the status, and says when to look again.
func (p *pass) report() (outcome.Result, error) {
	s := &p.preview.Status
	active := p.active()
	waiting := p.waiting()

	s.Active = int32(len(active))
	s.Waiting = int32(len(p.decision.Wait) + len(p.decision.Blocked) + p.unmade())
	s.Previews = slices.Concat(active[:min(len(active), maxActive)], waiting[:min(len(waiting), maxWaiting)])

	s.Expired = nil
	for _, g := range p.decision.GivenUp {
		s.Expired = append(s.Expired, gitopsv1.ExpiredPreview{Ref: g.Ref, Commit: g.Commit})
	}

	if p.listing.asked {
		s.LastHandledReconcileAt = p.listing.requested
	}

	after := p.after()

	switch {
	case p.preview.Spec.Suspend:
		conditions.MarkReady(p.preview, gitopsv1.ReasonSuspended, "It rests, because spec.suspend is set; previews go on until their time is over")

		return outcome.Result{RequeueAfter: after}, nil
	case p.obstacle != nil:
		return outcome.Result{RequeueAfter: after}, p.obstacle
	case p.listing.err != nil:
		return p.unlisted(after)
	case p.listing.refs == nil:
		return outcome.Result{}, &outcome.Wait{Reason: gitopsv1.ReasonProgressing, Message: "The repository is being asked which references it has", After: askTime + lookLater}
	case s.Waiting > 0:
		reason, message := p.whyWaiting()
		conditions.MarkReady(p.preview, reason, message)
	case len(p.listing.refs.Cut) > 0:
		conditions.MarkReady(p.preview, gitopsv1.ReasonFollowing, "Every reference that matches has its preview, of those that were listed: the repository has more than are")
	default:
		conditions.MarkReady(p.preview, gitopsv1.ReasonFollowing, "Every reference that matches has its preview")
	}

	return outcome.Result{RequeueAfter: after}, nil
}

// unlisted ends a pass over a repository that could not be asked.
func (p *pass) unlisted(after time.Duration) (outcome.Result, error) {
	reason, message := string(p.listing.err.Reason), p.listing.err.Error()
	if p.listing.err.Transient || p.listing.err.Reason == source.ReasonTimeout {
		return outcome.Result{}, &outcome.Wait{Reason: reason, Err: errors.New(message), After: after}
	}

	return outcome.Result{RequeueAfter: after}, &outcome.Stall{Reason: reason, Message: message}
}

// whyWaiting is why references have no preview, in general; status.previews says it of each.
func (p *pass) whyWaiting() (reason, message string) {
	for _, t := range p.troubles {
		if t.reason == gitopsv1.ReasonPortsExhausted {
			return t.reason, "References wait: " + t.message
		}
	}

	if len(p.decision.Wait) == 0 && len(p.decision.Blocked) > 0 {
		return gitopsv1.ReasonNameTaken, "References wait whose previews would have the names of other Tenants"
	}

	return gitopsv1.ReasonLimitReached, "References wait, because there are as many previews as the plan of the tenant or spec.max allows"
}

// active are the previews that there are, by name.
func (p *pass) active() []gitopsv1.Preview {
	expires := map[string]time.Time{}
	state := map[string]preview.Existing{}

	for _, k := range p.decision.Keep {
		expires[k.Tenant], state[k.Tenant] = k.Expires, k.Existing
	}

	for _, d := range p.decision.Drop {
		d.Deleting = true
		state[d.Tenant] = d.Existing
	}

	out := []gitopsv1.Preview{}

	for _, name := range p.names() {
		t := p.tenants[name]

		e, known := state[name]
		if !known { // It was made in this pass.
			e = existing(t)
			expires[name] = e.Since.Add(p.ttl())
		}

		entry := gitopsv1.Preview{Ref: e.Ref, Commit: e.Commit, Tenant: name, Port: portOf(t)}
		entry.Phase, entry.Reason, entry.Message = p.phase(t, e)

		if at := expires[name]; !at.IsZero() && !e.Deleting {
			entry.Expires = &metav1.Time{Time: at.UTC().Truncate(time.Second)}
		}

		out = append(out, entry)
	}

	return out
}

// waiting are references that have none, in the order in which they get one.
func (p *pass) waiting() []gitopsv1.Preview {
	entry := func(t source.Tip, reason, message string) gitopsv1.Preview {
		return gitopsv1.Preview{
			Ref: t.Name, Commit: t.Commit, Tenant: preview.Name(p.preview.Namespace, t.Name), Phase: gitopsv1.PreviewWaiting,
			Reason: reason, Message: message,
		}
	}

	var out []gitopsv1.Preview

	for _, t := range p.decision.Make {
		name := preview.Name(p.preview.Namespace, t.Name)
		if trouble, has := p.troubles[name]; has && p.tenants[name] == nil {
			out = append(out, entry(t, trouble.reason, trouble.message))
		} else if !p.made[name] {
			out = append(out, entry(t, gitopsv1.ReasonLimitReached, ""))
		}
	}

	for _, t := range p.decision.Wait {
		out = append(out, entry(t, gitopsv1.ReasonLimitReached, ""))
	}

	for _, t := range p.decision.Blocked {
		out = append(out, entry(t, gitopsv1.ReasonNameTaken, nameTaken(preview.Name(p.preview.Namespace, t.Name))))
	}

	return out
}

// unmade is how many previews were to be made and were not.
func (p *pass) unmade() int { return len(p.decision.Make) - len(p.made) }

// after is when to look again although nobody tells of anything.
func (p *pass) after() time.Duration {
	var times []time.Duration

	if p.follows() && !p.listing.running {
		times = append(times, p.due().Sub(p.now))
	}

	if !p.decision.Next.IsZero() {
		times = append(times, p.decision.Next.Sub(p.now))
	}

	if len(p.troubles) > 0 || p.unmade() > 0 {
		times = append(times, troubled)
	}

	if p.unrecorded {
		times = append(times, recorded)
	}

	if len(times) == 0 {
		return 0
	}

	return max(slices.Min(times), recorded)
}
