package book

import "errors"

// What can be wrong. Nothing was written when one of them is returned.
var (
	// ErrInvalid is an operation that can never be done; the message names the field and what is allowed.
	ErrInvalid = errors.New("invalid operation")
	// ErrConflict is a key that was used before for something else.
	ErrConflict = errors.New("the key was used for something else")
	// ErrInsufficient is an amount that is more than there is.
	ErrInsufficient = errors.New("not enough")
	// ErrNotFound is a lot, hold or order that is not there.
	ErrNotFound = errors.New("not found")
	// ErrExists is a lot or hold that is there already.
	ErrExists = errors.New("exists already")
	// ErrTooMany is a tenant that has as many lots or holds as there may be.
	ErrTooMany = errors.New("too many")
	// ErrTooEarly is an expiry before all use of its time has been charged.
	ErrTooEarly = errors.New("too early")
	// ErrCharged is a window that was charged before. The caller must look where the cursor is.
	ErrCharged = errors.New("charged before")
	// ErrGap is a window that does not follow the last one that was charged. What lies between must be charged or waived.
	ErrGap = errors.New("windows are missing before it")
	// ErrCutOver is a charge that takes other windows for free than the head does: the account has stopped since, or runs
	// again. The caller must look at the head and work the charge out anew.
	ErrCutOver = errors.New("compute is free in other windows")
	// ErrUsedUp is a coupon that was redeemed as often as it may be.
	ErrUsedUp = errors.New("redeemed as often as it may be")

	// ErrFenced is a leader that is none any more. It must stop.
	ErrFenced = errors.New("another leader has taken over")
	// ErrBusy is a tenant whose ledger is written faster by others than by us. Nothing is wrong: try again.
	ErrBusy = errors.New("written by others all the time")
	// ErrUnknown is a write of which nobody can say whether it was done. Repeating it with the same key tells.
	ErrUnknown = errors.New("the outcome is not known")

	// ErrNewer is something written by a newer version. Nothing may be read beyond it or written after it.
	ErrNewer = errors.New("written by a newer version")
	// ErrBroken is a ledger that contradicts itself. Nothing may be charged before a person has looked at it.
	ErrBroken = errors.New("the ledger is broken")
)
