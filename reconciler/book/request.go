package book

// Term is proof that somebody leads. It ends when somebody else begins one.
type Term int64

// Request asks for an operation on the ledger of a tenant.
type Request struct {
	Tenant string
	Op     Op
	// Decide what follows from it. Nil leaves phase and marks as they are.
	Decide Decide
	// Term of the leader. Operations that only a leader may do need one; for the others it is an additional condition.
	Term Term
	// Meter is written in the same transaction, or nil.
	Meter *MeterState
}

// MeterState is what metering keeps of a tenant, in its own words.
type MeterState struct {
	Data []byte
	// Revision that what it replaces must have, 0 for none: if it has another, the request fails with ErrConflict.
	Revision int64
}

// Result is what came of a Request.
type Result struct {
	// Head after it.
	Head Head
	// Entries that it has written, now or, if Replayed, before. Those that were pruned since are left out.
	Entries []Entry
	// MeterRevision is that of the MeterState, if there was one in the request.
	MeterRevision int64
	// Replayed tells that the same request had been done before, and nothing was done now.
	Replayed bool
}
