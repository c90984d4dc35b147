package servicespec

import (
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Limits in bytes. Raft takes 1.5 MiB in one transaction and keeps the previous spec, and every task carries a copy of
// the template: so a whole spec is small, and what tenants can fill is smaller.
const (
	maxSpecBytes        = 256 << 10
	maxEnvBytes         = 64 << 10
	maxArgsBytes        = 64 << 10
	maxLabelsBytes      = 32 << 10
	maxRestartedAtBytes = 256
	// bookkeepingBytes are what the labels that are added last take at most.
	bookkeepingBytes = 128
)

// sizes refuses what the schema, which counts entries and characters, lets grow too large.
func (b *builder) sizes(spec *swarm.ServiceSpec, encoded int) {
	c := spec.TaskTemplate.ContainerSpec

	b.bound("spec.env", "environment variables, those of spec.envFrom among them, have", bytesOf(c.Env), maxEnvBytes)
	b.bound("spec.args", "command and args have", bytesOf(c.Command)+bytesOf(c.Args), maxArgsBytes)

	labels := 0
	for key, value := range c.Labels {
		labels += len(key) + len(value)
	}
	b.bound("spec.labels", "labels have", labels, maxLabelsBytes)

	b.bound("spec", "the service made of it has", encoded, maxSpecBytes)
}

func (b *builder) bound(field, what string, bytes, limit int) {
	if bytes > limit {
		b.refuse(field, fmt.Sprintf("%s %d bytes, allowed are %d", what, bytes, limit))
	}
}

func bytesOf(list []string) int {
	n := 0
	for _, s := range list {
		n += len(s)
	}

	return n
}

// restartedAt is the only text in a service's labels that no schema has seen.
func (b *builder) restartedAt() string {
	const field = "metadata.annotations[" + v1alpha1.AnnotationRestartedAt + "]"

	b.bound(field, "it has", len(b.in.RestartedAt), maxRestartedAtBytes)
	b.clean(field, b.in.RestartedAt)

	return b.in.RestartedAt
}
