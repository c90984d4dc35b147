package servicespec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Build makes the service spec. It is made from nothing, so that nothing gets into Swarm but what this package writes.
// The errors are FieldErrors, joined: only a change of the object helps.
func Build(in Input) (swarm.ServiceSpec, error) {
	b := &builder{in: in, t: in.Template}

	spec := swarm.ServiceSpec{
		Annotations:    swarm.Annotations{Name: swarmobj.ServiceName(in.Owner.Tenant, in.Owner.Name), Labels: b.labels()},
		TaskTemplate:   b.task(),
		Mode:           b.mode(),
		UpdateConfig:   b.updateConfig(),
		RollbackConfig: b.rollbackConfig(),
		EndpointSpec:   b.endpoint(),
	}
	b.finish(&spec)

	if err := errors.Join(b.problems...); err != nil {
		return swarm.ServiceSpec{}, err
	}

	return spec, nil
}

// builder collects the problems while the parts of the spec are made, so that the user hears of all of them at once.
type builder struct {
	in       Input
	t        *v1alpha1.TenantContainerSpec
	problems []error
}

// refuse records a field that cannot be expressed.
func (b *builder) refuse(field, problem string) {
	b.problems = append(b.problems, &FieldError{Field: field, Problem: problem})
}

// clean refuses values that the engine would not take as they are. It shows none of them.
func (b *builder) clean(field string, values ...string) {
	for _, value := range values {
		if problem := unclean(value); problem != "" {
			b.refuse(field, problem)

			return
		}
	}
}

// labels mark the service as the owner's and remember what the controller must know of its last write.
func (b *builder) labels() map[string]string {
	labels := map[string]string{
		v1alpha1.SwarmLabelTemplateHash: b.in.TemplateHash,
		v1alpha1.SwarmLabelImage:        b.in.RequestedImage,
		v1alpha1.SwarmLabelRestartedAt:  b.restartedAt(),
		v1alpha1.SwarmLabelRegistryAuth: b.in.RegistryAuth,
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	maps.Copy(labels, b.in.Owner.Labels())

	if b.in.NoNewPrivileges {
		labels[v1alpha1.SwarmLabelPrivileges] = v1alpha1.PrivilegesNoNew
	}
	if b.in.OffManagers {
		labels[v1alpha1.SwarmLabelPlacement] = v1alpha1.PlacementWorkers
	}
	if b.in.Revision != 0 {
		labels[v1alpha1.SwarmLabelRevision] = strconv.FormatInt(b.in.Revision, 10)
	}

	return labels
}

// finish bounds the spec as a whole and adds the bookkeeping: a hash of what the spec asks for, by which tampering is
// told from a new wish, and the generation, which is no part of it.
func (b *builder) finish(spec *swarm.ServiceSpec) {
	raw, err := json.Marshal(spec)
	if err != nil {
		b.refuse("spec", "cannot be encoded: "+err.Error())
	}
	sum := sha256.Sum256(raw)
	spec.Labels[v1alpha1.SwarmLabelSpecHash] = hex.EncodeToString(sum[:8])
	if b.in.Generation != 0 {
		spec.Labels[v1alpha1.SwarmLabelGeneration] = strconv.FormatInt(b.in.Generation, 10)
	}

	b.sizes(spec, len(raw)+bookkeepingBytes)
}

// mode is replicated or global. A suspended service has no replicas; what a global one has instead, placement knows.
func (b *builder) mode() swarm.ServiceMode {
	if b.global() {
		return swarm.ServiceMode{Global: &swarm.GlobalService{}}
	}

	replicas := b.in.Replicas
	if _, pinned := b.writes(); pinned {
		// Whatever is declared now, an older template may still have the volume, and two tasks would write to it.
		replicas = min(replicas, 1)
	}
	if b.in.Suspended {
		replicas = 0
	}

	return swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}}
}

func (b *builder) global() bool {
	return b.t.Mode == v1alpha1.ModeGlobal
}

// task is what every task of the service is made from. Any difference in it restarts the tasks.
func (b *builder) task() swarm.TaskSpec {
	return swarm.TaskSpec{
		Runtime:       swarm.RuntimeContainer,
		ContainerSpec: b.container(),
		Resources:     b.resources(),
		RestartPolicy: b.restartPolicy(),
		Placement:     b.placement(),
		Networks:      b.networks(),
		LogDriver:     b.logDriver(),
		ForceUpdate:   b.in.ForceUpdate,
	}
}

// unclean says what keeps the engine from taking a string as it is, or nothing.
func unclean(s string) string {
	switch {
	case strings.Contains(s, "{{") || strings.Contains(s, "}}"):
		return "must not contain {{ or }}: the engine would expand it as a template, on the manager and again on the node"
	case strings.ContainsRune(s, 0):
		return "must not contain a zero byte"
	case !utf8.ValidString(s):
		return "must be UTF-8"
	default:
		return ""
	}
}

// orDefault is the value that p points to, or the default.
func orDefault[T any](p *T, value T) T {
	if p == nil {
		return value
	}

	return *p
}

// texts are the plain strings of the API's string types.
func texts[T ~string](in []T) []string {
	if len(in) == 0 {
		return nil
	}

	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}

	return out
}
