package workload

import "github.com/dogker/dogker/reconciler/sight"

// blind turns the error of a call to Swarm into a wait when it means that Swarm cannot be seen, and returns any other
// error as it is.
func blind(err error) error { return sight.Lost(err) }
