package usage

import "errors"

// How a write can fail so that the writer must know.
var (
	// ErrFenced: this process does not lead any more. Nothing was written, and nothing it sends ever will be.
	ErrFenced = errors.New("another leader has taken over")
	// ErrConflict: the record is not the one that was read. Nothing was written.
	ErrConflict = errors.New("the record has changed")
)

// Record is what is stored of one tenant.
type Record struct {
	Tenant string
	// Revision stands for this content. It is another one after each write.
	Revision int64
	// Data is what Account.Encode has made.
	Data []byte
}

// Stored is everything that metering left behind.
type Stored struct {
	// Mark is what Mark.Encode has made; nothing before the first.
	Mark    []byte
	Records []Record
}

// Change is a new record of one tenant and what is charged with it, all of it or nothing.
type Change struct {
	Tenant string
	// Revision that the record must have; 0 for one that must not exist.
	Revision int64
	// Data takes its place.
	Data []byte
	// Charge, if there is one, begins where the one before it ended.
	Charge *Charge
}

// Result is what came of a Change.
type Result struct {
	// Revision of the record after it.
	Revision int64
	// Err is ErrFenced, ErrConflict, or another error after which nobody knows whether it was written.
	Err error
}
