package receiver

import "time"

// What one stranger, and all of them together, can make this server do.
const (
	// maxBody is how large a body may be. GitHub caps its own at 25 MB, but those of pushes are far smaller: it lists at most
	// 2048 commits only by their names.
	maxBody = 1 << 20

	// readTimeout is how long a sender may take for the body.
	readTimeout = 5 * time.Second

	// addressBurst requests that are no good may come from one address at once, and one each addressInterval after that. Then
	// nothing is taken from there.
	addressBurst    = 30
	addressInterval = 2 * time.Second

	// atOnce is how many requests are read and checked at the same time. Each holds a hash and a small buffer.
	atOnce = 512

	// findTimeout is how long it may take to find out whose path it is. It is all in caches, once they are filled.
	findTimeout = 3 * time.Second

	// writeInterval is how long after a hint was written the next one for the same GitSync is.
	writeInterval = 2 * time.Second

	// writeTimeout bounds one write. A write that fails is tried again after firstPause, and then ever later up to longestPause.
	writeTimeout = 5 * time.Second
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second

	// writesAtOnce is how many hints are written at the same time, for all GitSyncs together.
	writesAtOnce = 8

	// lastWrites is how long hints that nobody has written yet may take when the server stops.
	lastWrites = 2 * time.Second
)
