package swarm_test

import (
	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/swarm"
)

var _ swarm.API = (*fake.Client)(nil)
