package solvency

import (
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// Phase is what an account may do.
type Phase string

// The phases. Their names are stored and shown: they never change.
const (
	// Active runs, with money for longer than the first warning.
	Active Phase = "Active"
	// Low runs, and has been warned.
	Low Phase = "Low"
	// Grace runs on nothing, for a limited time and up to a limited debt.
	Grace Phase = "Grace"
	// Suspended does not run: its money is gone.
	Suspended Phase = "Suspended"
	// BudgetCapped does not run: its owner wants to spend no more this month.
	BudgetCapped Phase = "BudgetCapped"
	// Held does not run until an administrator lets it.
	Held Phase = "Hold"
	// Closed does not run again.
	Closed Phase = "Closed"
)

// Runs tells whether containers of an account in this phase run.
func (p Phase) Runs() bool { return p == Active || p == Low || p == Grace }

// Rules are what the account and its plan say.
type Rules struct {
	// Warnings are the runways at which the owner is warned, longest first.
	Warnings []time.Duration
	// Floor is a balance below which the owner is warned as well; 0 for none.
	Floor money.Micro
	// GracePeriod is how long it runs on nothing.
	GracePeriod time.Duration
	// Overdraft is how far it may be in debt meanwhile; 0 means what the grace period costs at the rate at its beginning.
	Overdraft money.Micro
	// MinRunway is for how long there must be money to start again, or to start more.
	MinRunway time.Duration
	// MonthlyCap is what its owner wants to spend in a month; 0 for no cap.
	MonthlyCap money.Micro
	// CapSuspends stops the account at its cap, instead of only saying so.
	CapSuspends bool
	// Hold and Close are an administrator's.
	Hold, Close bool
}

// Facts are what is so at a moment.
type Facts struct {
	Now time.Time
	// Available is what has been paid and granted, without what is held and what has accrued.
	Available money.Micro
	// Rate is the price of an hour of everything that the account declares, whether it runs now or not.
	Rate money.Micro
	// LastHour is what the hour before cost. It counts where it is more than Rate: what burns money may have just stopped.
	LastHour money.Micro
	// Spent in the month, with what has accrued.
	Spent money.Micro
	// Month names the account's month, such as 2026-11.
	Month string
	// Epoch counts credits: it is the sequence number of the last one.
	Epoch uint64
}

// State is what has to be remembered. The zero State is that of a new account.
type State struct {
	Phase Phase `json:"phase,omitempty"`
	// Since when the account has been in the phase.
	Since time.Time `json:"since,omitzero"`
	// GraceEnds, and the debt at which it ends sooner. They are fixed at the beginning of Grace.
	GraceEnds  time.Time   `json:"graceEnds,omitzero"`
	GraceLimit money.Micro `json:"graceLimit,omitempty"`
	// Said is the epoch in which each notice was last given, and in which it may not be given again.
	Said map[string]uint64 `json:"said,omitempty"`
	// Disarmed are the warnings whose runway has not been left behind since.
	Disarmed map[string]bool `json:"disarmed,omitempty"`
	// CapMonth is the month that Caps speaks of, and Caps the shares of the cap that have been told.
	CapMonth string       `json:"capMonth,omitempty"`
	Caps     map[int]bool `json:"caps,omitempty"`
}

// Kind of a notice.
type Kind string

// What an owner is told. The names are in the keys of notices: they never change.
const (
	LowBalance      Kind = "LowBalance"
	GraceBegan      Kind = "GraceBegan"
	WasSuspended    Kind = "Suspended"
	WasResumed      Kind = "Resumed"
	BudgetReached   Kind = "BudgetReached"
	WasCapped       Kind = "BudgetCapped"
	WasHeld         Kind = "Held"
	WasClosed       Kind = "Closed"
	ResumeShortfall Kind = "ResumeShortfall"
)

// Notice is something to tell the owner.
type Notice struct {
	Kind Kind `json:"kind"`
	// Mark is the warning or the share of the cap that was reached, such as "24h", "floor" or "90%". It tells notices of a
	// kind apart.
	Mark string `json:"mark,omitempty"`
	// Missing is how much it takes to run again.
	Missing money.Micro `json:"missing,omitempty"`
}
