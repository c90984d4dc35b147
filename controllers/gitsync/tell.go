package gitsync

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
)

// Reasons of events that are none of conditions.
const (
	// eventApplied comes with what a visit has changed.
	eventApplied = "Applied"
	// eventHeld says that nothing was pruned, because everything would have been.
	eventHeld = "PruneHeldBack"
	// eventOrphaned says that what was applied stays when the GitSync goes.
	eventOrphaned = "Orphaned"
)

// maxEvent is how long the text of an event may be: the API takes a little more.
const maxEvent = 1000

// maxDescription is what the shortest-spoken of the Git servers take.
const maxDescription = 140

// silence records nothing.
type silence struct{}

// Event implements engine.Recorder.
func (silence) Event(runtime.Object, string, string, string) {}

// nobody is told of commits.
type nobody struct{}

// Tell implements CommitStatuses.
func (nobody) Tell(types.NamespacedName, lifecycle.CommitState) {}

// announce says what a visit has changed, and that nothing was pruned although something is gone. That the sync became ready
// or failed is told with its conditions.
func (p *pass) announce(e *ending, changes delivery.Changes) {
	if len(changes) > 0 {
		p.opts.Recorder.Event(p.sync, corev1.EventTypeNormal, eventApplied, changesText(e.status.LastAttemptedRevision, changes))
	}

	_, held, _ := strings.Cut(e.message, "; ")
	if e.failed == nil && held != "" && !p.said(held) {
		p.opts.Recorder.Event(p.sync, corev1.EventTypeWarning, eventHeld, held)
	}
}

// said is whether the last result says so already.
func (p *pass) said(text string) bool {
	h := p.sync.Status.History

	return len(h) > 0 && h[0].Reason == gitopsv1.ReasonReconciliationSucceeded && strings.Contains(h[0].Message, text)
}

// changesText has as many changes as an event has room for. They hold no values of Secrets.
func changesText(revision string, changes delivery.Changes) string {
	short := revision
	if r, err := lifecycle.ParseRevision(revision); err == nil {
		short = r.Short()
	}

	lines := make([]string, 0, len(changes))
	for _, c := range changes {
		lines = append(lines, c.String())
	}

	return shorten(short+": "+strings.Join(lines, ", "), maxEvent)
}

// tell says to the Git server how a commit stands, where that is asked for.
func (p *pass) tell(t terms, commit, state, description string) {
	if t.status == nil || commit == "" {
		return
	}

	said := *t.status
	said.Commit, said.State, said.Description = commit, state, shorten(description, maxDescription)
	p.opts.Statuses.Tell(p.key, said)
}

// tellEnd says what became of a commit: at the end of every visit, because what was said may be lost with the process that was
// to send it, or be asked for only now. Whoever sends it says nothing twice.
func (p *pass) tellEnd(e *ending, revision string) {
	r, err := lifecycle.ParseRevision(revision)
	if err != nil {
		return // It is not known which commit it was.
	}

	if e.failed != nil {
		p.tell(p.asked.terms, r.Hash, lifecycle.CommitFailure, e.reason+": "+e.message)

		return
	}

	p.tell(p.asked.terms, r.Hash, lifecycle.CommitSuccess, "Applied")
}

// hint puts a sync into the queue. What finds no room is looked at a few seconds later in any case.
func (c *Controller) hint(key types.NamespacedName) {
	select {
	case c.wakes <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	default:
	}
}
