package logship

import "time"

// verdict is what a store makes of one line.
type verdict uint8

const (
	// accepted lines are there, now or since before.
	accepted verdict = iota
	// later are those that it has no time for.
	later
	// refused are those that it will never take.
	refused
)

// kind is whom a trouble is with.
type kind uint8

const (
	// atStore is one that nothing can be sent to now.
	atStore kind = iota
	// rate is a limit that this tenant, and perhaps only this one, is over.
	rate
	// whole is a batch that it will never take, and size one that is too large.
	whole
	size
)

// trouble is a batch that was not taken. It never says what the store has answered, which may quote a line.
type trouble struct {
	kind kind
	// what is the same each time, and detail may not be.
	what, detail string
	// after is how long it wants to be left alone; 0 when it does not say.
	after time.Duration
}

func (t *trouble) Error() string { return t.what }
