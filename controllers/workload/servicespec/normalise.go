package servicespec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// Swarm's own defaults for what a spec does not say.
const (
	swarmStopGrace    = 10 * time.Second
	swarmRestartDelay = 5 * time.Second
	swarmMonitor      = 5 * time.Second
)

// Normalise returns a copy of a spec in which what means the same to Swarm looks the same: defaults are filled in,
// nothing and an empty something are one, lists whose order means nothing are sorted, and our own bookkeeping is left
// out. Normalising twice is normalising once.
func Normalise(spec swarm.ServiceSpec) swarm.ServiceSpec {
	out := clone(reflect.ValueOf(spec)).Interface().(swarm.ServiceSpec)

	maps.DeleteFunc(out.Labels, func(key, _ string) bool { return isBookkeeping(key) })
	if len(out.Labels) == 0 {
		out.Labels = nil
	}

	normaliseMode(&out.Mode)
	normaliseTask(&out.TaskTemplate)
	sortNetworks(out.Networks) //nolint:staticcheck // A service changed by hand may use the deprecated field.
	out.UpdateConfig = normaliseUpdate(out.UpdateConfig)
	out.RollbackConfig = normaliseUpdate(out.RollbackConfig)
	out.EndpointSpec = normaliseEndpoint(out.EndpointSpec)

	return out
}

// clone copies a value deeply; empty lists and maps become nil.
func clone(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(clone(v.Elem()))

		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if refers(v.Field(i).Kind()) {
				out.Field(i).Set(clone(v.Field(i)))
			}
		}

		return out
	case reflect.Slice:
		if v.Len() == 0 {
			return reflect.Zero(v.Type())
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(out, v)
		if refers(v.Type().Elem().Kind()) {
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
		}

		return out
	case reflect.Map:
		if v.Len() == 0 {
			return reflect.Zero(v.Type())
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, value := range v.Seq2() {
			out.SetMapIndex(key, clone(value))
		}

		return out
	default:
		return v
	}
}

// refers is true for kinds whose values may point to something.
func refers(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Struct || k == reflect.Slice || k == reflect.Map
}

// normaliseMode fills in the mode and the number of replicas.
func normaliseMode(m *swarm.ServiceMode) {
	if *m == (swarm.ServiceMode{}) {
		m.Replicated = &swarm.ReplicatedService{}
	}
	if m.Replicated != nil && m.Replicated.Replicas == nil {
		m.Replicated.Replicas = new(uint64(1))
	}
}

func normaliseTask(t *swarm.TaskSpec) {
	t.Runtime = cmp.Or(t.Runtime, swarm.RuntimeContainer)
	if t.ContainerSpec != nil {
		normaliseContainer(t.ContainerSpec)
	}

	if r := t.Resources; r != nil {
		r.Limits, r.Reservations = orNil(r.Limits), orNil(r.Reservations)
		t.Resources = orNil(r)
	}

	t.RestartPolicy = normaliseRestart(t.RestartPolicy)
	if p := t.Placement; p != nil {
		slices.Sort(p.Constraints)
		slices.SortFunc(p.Platforms, comparePlatforms)
		t.Placement = orNil(p)
	}
	sortNetworks(t.Networks)
	t.LogDriver = orNil(t.LogDriver)
}

func normaliseContainer(c *swarm.ContainerSpec) {
	if c.Isolation.IsDefault() {
		c.Isolation = ""
	}
	if c.StopGracePeriod == nil {
		c.StopGracePeriod = new(swarmStopGrace)
	}
	c.DNSConfig = orNil(c.DNSConfig)
	c.Privileges = orNil(c.Privileges)
	c.Healthcheck = orNil(c.Healthcheck)

	for i := range c.Mounts {
		m := &c.Mounts[i]
		if o := m.VolumeOptions; o != nil {
			o.DriverConfig = orNil(o.DriverConfig)
		}
		m.BindOptions, m.VolumeOptions = orNil(m.BindOptions), orNil(m.VolumeOptions)
		if m.Type == mount.TypeTmpfs && m.TmpfsOptions == nil {
			m.TmpfsOptions = &mount.TmpfsOptions{}
		}
		if m.TmpfsOptions != nil {
			m.TmpfsOptions.Mode = cmp.Or(m.TmpfsOptions.Mode, defaultTmpfsMode)
		}
	}

	// Of two variables of one name the last one counts, so their order among each other stays.
	slices.SortStableFunc(c.Env, func(x, y string) int { return cmp.Compare(variable(x), variable(y)) })
	slices.Sort(c.Hosts)
	slices.Sort(c.CapabilityAdd)
	slices.Sort(c.CapabilityDrop)
	slices.SortStableFunc(c.Mounts, func(x, y mount.Mount) int { return cmp.Compare(x.Target, y.Target) })
	slices.SortStableFunc(c.Ulimits, func(x, y *container.Ulimit) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortStableFunc(c.Secrets, func(x, y *swarm.SecretReference) int {
		return cmp.Compare(secretTarget(x), secretTarget(y))
	})
	slices.SortStableFunc(c.Configs, func(x, y *swarm.ConfigReference) int {
		return cmp.Compare(configTarget(x), configTarget(y))
	})
}

func normaliseRestart(p *swarm.RestartPolicy) *swarm.RestartPolicy {
	if p == nil {
		p = &swarm.RestartPolicy{}
	}
	p.Condition = cmp.Or(p.Condition, swarm.RestartPolicyConditionAny)
	if p.Delay == nil {
		p.Delay = new(swarmRestartDelay)
	}
	if p.MaxAttempts == nil {
		p.MaxAttempts = new(uint64)
	}
	if p.Window == nil {
		p.Window = new(time.Duration)
	}

	return p
}

func normaliseUpdate(c *swarm.UpdateConfig) *swarm.UpdateConfig {
	if c == nil {
		c = &swarm.UpdateConfig{Parallelism: 1}
	}
	c.FailureAction = cmp.Or(c.FailureAction, swarm.UpdateFailureActionPause)
	c.Monitor = cmp.Or(c.Monitor, swarmMonitor)
	c.Order = cmp.Or(c.Order, swarm.UpdateOrderStopFirst)

	return c
}

func normaliseEndpoint(e *swarm.EndpointSpec) *swarm.EndpointSpec {
	if e == nil {
		e = &swarm.EndpointSpec{}
	}
	e.Mode = cmp.Or(e.Mode, swarm.ResolutionModeVIP)
	for i := range e.Ports {
		p := &e.Ports[i]
		p.Protocol = cmp.Or(p.Protocol, swarm.PortConfigProtocolTCP)
		p.PublishMode = cmp.Or(p.PublishMode, swarm.PortConfigPublishModeIngress)
	}
	slices.SortStableFunc(e.Ports, comparePorts)

	return e
}

func sortNetworks(networks []swarm.NetworkAttachmentConfig) {
	for i := range networks {
		slices.Sort(networks[i].Aliases)
	}
	slices.SortStableFunc(networks, func(x, y swarm.NetworkAttachmentConfig) int { return cmp.Compare(x.Target, y.Target) })
}

// orNil is nil for a pointer to a struct that says nothing.
func orNil[T any](p *T) *T {
	if p == nil || reflect.ValueOf(p).Elem().IsZero() {
		return nil
	}

	return p
}

// variable is the name in NAME=value.
func variable(env string) string {
	name, _, _ := strings.Cut(env, "=")

	return name
}

func secretTarget(r *swarm.SecretReference) string {
	if r == nil || r.File == nil {
		return ""
	}

	return r.File.Name
}

func configTarget(r *swarm.ConfigReference) string {
	if r == nil || r.File == nil {
		return ""
	}

	return r.File.Name
}
