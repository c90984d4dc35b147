// Package sight says what it means for the owner of an object that Swarm cannot be seen.
//
// It imports api, outcome and swarmobj; the controllers call it for every error of an engine.
package sight

import (
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// losses are the ways in which sight of Swarm is lost. Ready is Unknown then: an engine that does not answer goes on
// running what it runs.
var losses = []struct {
	err             error
	reason, message string
}{
	{swarmobj.ErrInactive, v1alpha1.ReasonSwarmInactive, "The engine is no member of a swarm; dogker doctor tells what to do"},
	{swarmobj.ErrNotManager, v1alpha1.ReasonNotManager, "The engine is a worker of its swarm, and only a manager can be asked; dogker doctor tells what to do"},
	{swarmobj.ErrNoLeader, v1alpha1.ReasonNoLeader, "The swarm has no leader at the moment; containers go on running"},
	{swarmobj.ErrUnavailable, v1alpha1.ReasonEngineUnavailable, "The engine does not answer; containers go on running; dogker doctor tells what to do"},
	{swarmobj.ErrUnknownOutcome, v1alpha1.ReasonEngineUnavailable, "The engine has not answered a write; it is being checked whether it happened"},
}

// retry is when to look again at an engine that cannot be asked. The cache tells when it can be asked again; this is only
// the fallback.
const retry = 10 * time.Second

// Lost turns the error of a call to Swarm into a wait when it means that Swarm cannot be seen, and returns any other
// error as it is.
func Lost(err error) error {
	for _, l := range losses {
		if errors.Is(err, l.err) {
			return &outcome.Wait{Reason: l.reason, Message: l.message, Err: err, After: retry, Ready: metav1.ConditionUnknown}
		}
	}

	return err
}
