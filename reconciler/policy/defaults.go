package policy

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// nobody is the user, and the group, that a container runs as where the profile demands one and the container names
	// none: the one that images without root are made with.
	nobody = int64(65532)
	// defaultLogSize and defaultLogFiles bound the logs of a container that chooses a driver and no size.
	defaultLogSize  = "10Mi"
	defaultLogFiles = int64(3)
)

// Default fills in, where the spec of a TenantContainer says nothing, what the plan and the profile have for it. It works
// on the object as it was sent, before the schema has judged it: what has another type than it should is left for the
// schema to refuse. What it changes it would not change again.
func (p Policy) Default(spec map[string]any) {
	p.defaultResources(spec)

	switch p.profile {
	case v1alpha1.ProfileRestricted:
		defaultCapabilities(spec, []string{allCapabilities})
		defaultUser(spec)
		defaultLogs(spec)
	case v1alpha1.ProfileBaseline:
		defaultCapabilities(spec, []string{"MKNOD", netRaw})
		defaultLogs(spec)
	}
}

// defaultResources never makes a request greater than a limit: of the two, what was declared wins.
func (p Policy) defaultResources(spec map[string]any) {
	resources := child(spec, "resources")
	limits, requests := child(resources, "limits"), child(resources, "requests")

	for _, d := range []struct {
		name           string
		request, limit resource.Quantity
	}{
		{"cpu", p.defaults.Requests.CPU, p.defaults.Limits.CPU},
		{"memory", p.defaults.Requests.Memory, p.defaults.Limits.Memory},
	} {
		declared, hasRequest := amount(requests, d.name)
		if _, hasLimit := limits[d.name]; limits != nil && !hasLimit && !d.limit.IsZero() {
			limit := d.limit
			if hasRequest && declared.Cmp(limit) > 0 {
				limit = declared
			}
			limits[d.name] = limit.String()
		}

		if _, has := requests[d.name]; requests != nil && !has && !d.request.IsZero() {
			request := d.request
			if limit, ok := amount(limits, d.name); ok && request.Cmp(limit) > 0 {
				request = limit
			}
			requests[d.name] = request.String()
		}
	}

	if _, has := limits["pids"]; limits != nil && !has && p.defaults.Limits.Pids > 0 {
		limits["pids"] = p.defaults.Limits.Pids
	}
}

func defaultCapabilities(spec map[string]any, drop []string) {
	capabilities := child(child(spec, "security"), "capabilities")
	if capabilities == nil || capabilities["drop"] != nil {
		return
	}

	// What is added by name is not dropped by default.
	added, _ := capabilities["add"].([]any)
	var out []any
	for _, name := range drop {
		if !slices.Contains(added, any(name)) {
			out = append(out, name)
		}
	}
	capabilities["drop"] = out
}

func defaultUser(spec map[string]any) {
	security := child(spec, "security")
	if security == nil {
		return
	}

	if security["runAsUser"] == nil {
		if security["runAsGroup"] != nil {
			return // Half a user is refused, with a message about the other half.
		}
		security["runAsUser"] = nobody
	}
	if security["runAsGroup"] == nil {
		security["runAsGroup"] = security["runAsUser"]
	}
}

func defaultLogs(spec map[string]any) {
	logging, ok := spec["logging"].(map[string]any)
	if !ok || logging["driver"] == "none" {
		return
	}

	if logging["maxSize"] == nil {
		logging["maxSize"] = defaultLogSize
	}
	if logging["maxFiles"] == nil {
		logging["maxFiles"] = defaultLogFiles
	}
}

// child is the mapping in a field, made when there is none. It is nil when something else is there, or when the parent is
// nil; reading from it is harmless then.
func child(parent map[string]any, name string) map[string]any {
	if parent == nil {
		return nil
	}
	if parent[name] == nil {
		parent[name] = map[string]any{}
	}
	m, _ := parent[name].(map[string]any)

	return m
}

// amount is a quantity in the form in which it was sent.
func amount(parent map[string]any, name string) (resource.Quantity, bool) {
	var q resource.Quantity

	switch v := parent[name].(type) {
	case string:
		parsed, err := resource.ParseQuantity(v)
		if err != nil {
			return q, false
		}
		q = parsed
	case int64:
		q = *resource.NewQuantity(v, resource.DecimalSI)
	default:
		return q, false
	}

	return q, true
}
