package book

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dogker/dogker/reconciler/money"
)

// Decide is asked, whenever something happened to a tenant's money, what follows from it. It must be pure: it may be asked
// several times, and what it said counts only if what it was asked about was written. Its decision is written with it.
type Decide func(before Head, after Outcome) Decision

// Decision is what follows.
type Decision struct {
	// Phase of the tenant, in the words of whoever decides.
	Phase string
	// State is JSON that the next decision will find in the head, such as which warning was given in which epoch.
	State json.RawMessage
	// Notices to send.
	Notices []Notice
	// Stopped tells whether the account does not run: then compute is free from the next window on, and what was used until
	// then is settled.
	Stopped bool
	// Floor that this settlement may draw paid money down to.
	Floor money.Micro
}

// Notice is a message that must go out at least once: it is stored in the transaction that is the reason for it.
type Notice struct {
	Tenant string `json:"tenant"`
	// ID is the same however often the notice is sent. One with the ID of another replaces it.
	ID string `json:"id"`
	// Kind of notice, such as "BalanceLow".
	Kind string `json:"kind"`
	// Time it was decided, in Unix time, and the last entry it is about.
	Time int64 `json:"time"`
	Seq  int64 `json:"seq"`
	// Data for its text.
	Data map[string]string `json:"data,omitempty"`
}

// maxNotices is how many an operation may send.
const maxNotices = 16

var errDecision = errors.New("invalid decision")

// decide asks what follows from what the draft has become, and makes it part of it.
func (d *draft) decide(before Head, decide Decide) error {
	decided := decide(before, d.outcome())
	if len(decided.State) > maxStateBytes || len(decided.Notices) > maxNotices || decided.Floor > 0 {
		return fmt.Errorf("%w: a state of %d bytes, %d notices and a floor of %s, at most %d, %d and 0",
			errDecision, len(decided.State), len(decided.Notices), decided.Floor, maxStateBytes, maxNotices)
	}
	h := &d.State.Head
	h.Phase = decided.Phase
	switch {
	case len(decided.State) == 0:
		h.State = nil
	case !bytes.Equal(decided.State, h.State):
		// The head is written in one spelling only, also what others have put into it.
		state, err := json.Marshal(decided.State)
		if err != nil {
			return fmt.Errorf("%w: the state is no JSON: %w", errDecision, err)
		}
		h.State = state
	}
	if err := d.stop(decided); err != nil {
		return fmt.Errorf("stop the account: %w", err)
	}
	for _, n := range decided.Notices {
		if err := checkKey("notice.id", n.ID); err != nil {
			return fmt.Errorf("%w: %w", errDecision, err)
		}
		n.Tenant, n.Seq = h.Tenant, h.Seq
		d.notices = append(d.notices, n)
	}

	return nil
}

// Review does nothing to the money: it asks for a decision because time has passed. Only a leader may.
type Review struct{}

// Key implements Op.
func (Review) Key() string { return "" }

func (Review) fenced() bool         { return true }
func (Review) validate() error      { return nil }
func (Review) apply(_ *draft) error { return nil }
