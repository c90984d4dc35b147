package schedule

import (
	"fmt"
	"time"

	_ "time/tzdata" // Where the system has no zones, or a container image has none.
)

// Zone is the time zone of that name. Empty is UTC. The server's own zone has no name here: two servers may have two.
func Zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, fmt.Errorf("%q is not the name of a time zone, such as Asia/Jakarta", name)
	}

	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not the name of a time zone, such as Asia/Jakarta", name)
	}

	return zone, nil
}
