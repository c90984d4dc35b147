package swarm_test

import (
	"github.com/dogker/dogker/controllers/collector"
	"github.com/dogker/dogker/controllers/workload"
	"github.com/dogker/dogker/internal/swarm"
)

// The adapter is what the controllers ask for.
var (
	_ workload.Swarm  = (*swarm.Engine)(nil)
	_ collector.Swarm = (*swarm.Engine)(nil)
)
