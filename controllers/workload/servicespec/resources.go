package servicespec

import (
	"strconv"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
)

// resources are what a task may use and what is set aside for it. What has a limit and no request gets the limit set
// aside, as in Kubernetes: Swarm places by reservations only, so a limit alone would let nodes be overcommitted.
func (b *builder) resources() *swarm.ResourceRequirements {
	r := b.t.Resources
	if r == nil {
		return nil
	}

	var limit swarm.Limit
	var reserved swarm.Resources
	if l := r.Limits; l != nil {
		limit = swarm.Limit{NanoCPUs: nanoCPUs(l.CPU), MemoryBytes: wholeBytes(l.Memory), Pids: orDefault(l.Pids, 0)}
		reserved = swarm.Resources{NanoCPUs: limit.NanoCPUs, MemoryBytes: limit.MemoryBytes}
	}
	if q := r.Requests; q != nil {
		if q.CPU != nil {
			reserved.NanoCPUs = nanoCPUs(q.CPU)
		}
		if q.Memory != nil {
			reserved.MemoryBytes = wholeBytes(q.Memory)
		}
	}

	if limit == (swarm.Limit{}) && reserved.NanoCPUs == 0 && reserved.MemoryBytes == 0 {
		return nil
	}

	out := &swarm.ResourceRequirements{}
	if limit != (swarm.Limit{}) {
		out.Limits = &limit
	}
	if reserved.NanoCPUs != 0 || reserved.MemoryBytes != 0 {
		out.Reservations = &reserved
	}

	return out
}

// nanoCPUs rounds up to whole billionths of a CPU.
func nanoCPUs(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}

	return q.ScaledValue(resource.Nano)
}

// wholeBytes rounds up to whole bytes.
func wholeBytes(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}

	return q.Value()
}

// logDriver is nil when the engine's own setting is to be used. Sizes go out in bytes without a unit, the only form in
// which all engines and drivers agree on what they mean.
func (b *builder) logDriver() *swarm.Driver {
	l := b.t.Logging
	if l == nil {
		return nil
	}
	if l.Driver == "none" {
		if l.MaxSize != nil {
			b.refuse("spec.logging.maxSize", "must not be set for the driver none")
		}
		if l.MaxFiles != nil {
			b.refuse("spec.logging.maxFiles", "must not be set for the driver none")
		}

		return &swarm.Driver{Name: l.Driver}
	}

	options := map[string]string{}
	if l.MaxSize != nil {
		options["max-size"] = strconv.FormatInt(l.MaxSize.Value(), 10)
	}
	if l.MaxFiles != nil {
		options["max-file"] = strconv.FormatInt(int64(*l.MaxFiles), 10)
		// The driver local compresses rotated files by default and refuses to when there is no second file.
		if l.Driver == "local" && *l.MaxFiles == 1 {
			options["compress"] = "false"
		}
	}
	if len(options) == 0 {
		options = nil
	}

	return &swarm.Driver{Name: l.Driver, Options: options}
}
