package outbox

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dogker/dogker/reconciler/alert"
)

// prefix lies outside the prefix of the API's objects, so that no request to the API can read or write what is below it.
const (
	prefix      = "/dogker/outbox/"
	waitPrefix  = prefix + "wait/"
	donePrefix  = prefix + "done/"
	statePrefix = prefix + "state/"
)

func waitOf(tenant string) string      { return waitPrefix + tenant + "/" }
func waitKey(tenant, id string) string { return waitOf(tenant) + id }
func doneKey(tenant, id string) string { return donePrefix + tenant + "/" + id }

func stateKey(r alert.ReceiverRef) string { return statePrefix + r.Namespace + "/" + r.Name }

// record is a notice as it lies in the store.
type record struct {
	Notification alert.Notification `json:"notification"`
	// Put is when it was put in.
	Put time.Time `json:"put"`
	// To is what became of it so far, by the key of the target.
	To map[string]attempt `json:"to,omitempty"`

	// revision of the store at which it was written.
	revision int64
	// after is when it is looked at again after the store could not be written to.
	after time.Time
	// ended is how it ended for all targets that it had no outcome for; empty for what was delivered or given up one by one.
	ended string
}

// outcome is how a notice ended, that for the worst of its targets.
func (r *record) outcome() string {
	out := outcomeNobody
	for _, a := range r.To {
		switch {
		case a.Outcome == outcomeGivenUp:
			return outcomeGivenUp
		case a.Outcome != "":
			out = a.Outcome
		}
	}
	if r.ended == outcomeGivenUp || r.ended != "" && out == outcomeNobody {
		return r.ended
	}

	return out
}

// attempt is what became of a notice for one target so far.
type attempt struct {
	// Tries is how often it was tried, and Refusals how often the target has refused this one.
	Tries    int `json:"tries,omitempty"`
	Refusals int `json:"refusals,omitempty"`
	// Next is when it is tried again.
	Next time.Time `json:"next,omitzero"`
	// Error of the last try, for operators.
	Error string `json:"error,omitempty"`
	// Outcome is set once nothing more is tried.
	Outcome string `json:"outcome,omitempty"`
}

// key of the record in the store.
func (r *record) key() string { return waitKey(r.Notification.Tenant, r.Notification.ID) }

// with is a copy in which something else has become of it for a target.
func (r *record) with(target string, a attempt) *record {
	next := *r
	next.To = make(map[string]attempt, len(r.To)+1)
	for k, v := range r.To {
		next.To[k] = v
	}
	next.To[target] = a

	return &next
}

func (r *record) encode() (string, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode notice %q of %q: %w", r.Notification.ID, r.Notification.Tenant, err)
	}

	return string(value), nil
}

func decode(key, value []byte, revision int64) (*record, error) {
	r := &record{revision: revision}
	if err := json.Unmarshal(value, r); err != nil {
		return nil, fmt.Errorf("read notice %q: %w", key, err)
	}

	return r, nil
}
