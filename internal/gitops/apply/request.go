package apply

import (
	"time"
)

// FieldManager is who owns what is applied.
const FieldManager = "dogker-gitsync"

// Options are the same for all requests.
type Options struct {
	// Concurrency is how many requests of one visit are under way at most. 0 is 8.
	Concurrency int
	// Recheck is after how long an object is asked about that nobody seems to have touched. 0 is an hour.
	Recheck time.Duration
	// Poll is how often it is looked at whether objects are Ready, or gone. 0 is a second.
	Poll time.Duration
	// OwnRights does everything with the rights of the configuration, and as nobody else. It is for people who apply their own
	// files; a server never sets it.
	OwnRights bool
}

func (o Options) orDefault() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}

	if o.Recheck <= 0 {
		o.Recheck = time.Hour
	}

	if o.Poll <= 0 {
		o.Poll = time.Second
	}

	return o
}
