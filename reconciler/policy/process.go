package policy

import (
	"slices"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	allCapabilities = "ALL"
	bindService     = "NET_BIND_SERVICE"
	netRaw          = "NET_RAW"
	// maxOpenFiles is the most that ulimit nofile may be in the baseline profile.
	maxOpenFiles = 65536
)

var security = root.Child("security")

// capabilities of a spec; empty ones when it says nothing.
func capabilities(spec *v1alpha1.TenantContainerSpec) v1alpha1.Capabilities {
	if s := spec.Security; s != nil && s.Capabilities != nil {
		return *s.Capabilities
	}

	return v1alpha1.Capabilities{}
}

// noCapabilities: none but that to listen below port 1024 inside the container.
func noCapabilities(c *check) {
	have := capabilities(c.spec)

	for i, name := range have.Add {
		if name != bindService {
			c.refuse(security.Child("capabilities", "add").Index(i), name, bindService)
		}
	}
	if !slices.Contains(have.Drop, allCapabilities) {
		c.refuse(security.Child("capabilities", "drop"), strings.Join(have.Drop, ","), allCapabilities)
	}
}

// fewCapabilities: the engine's own set without raw sockets and device nodes, and what the schema lets a container add.
func fewCapabilities(c *check) {
	have := capabilities(c.spec)
	if !slices.Contains(have.Drop, netRaw) && !slices.Contains(have.Drop, allCapabilities) {
		c.refuse(security.Child("capabilities", "drop"), strings.Join(have.Drop, ","), "a list with %s or %s", netRaw, allCapabilities)
	}
}

func noSysctls(c *check) {
	for _, key := range sorted(c.spec.Sysctls) {
		c.refuse(root.Child("sysctls").Key(key), string(c.spec.Sysctls[key]), "none")
	}
}

func noUlimits(c *check) {
	for i, u := range c.spec.Ulimits {
		c.refuse(root.Child("ulimits").Index(i), u.Name, "none")
	}
}

func filesOnly(c *check) {
	for i, u := range c.spec.Ulimits {
		path := root.Child("ulimits").Index(i)
		switch {
		case u.Name != "nofile":
			c.refuse(path.Child("name"), u.Name, "nofile")
		case u.Hard > maxOpenFiles:
			c.refuse(path.Child("hard"), u.Hard, "at most %d", maxOpenFiles)
		}
	}
}

// nobodyInParticular: a user and a group that are numbers other than 0. What the image says does not count, because a
// name in it can stand for 0, and a user without a group gets group 0.
func nobodyInParticular(c *check) {
	var have v1alpha1.Security
	if c.spec.Security != nil {
		have = *c.spec.Security
	}

	for _, id := range []struct {
		field string
		value *int64
	}{{"runAsUser", have.RunAsUser}, {"runAsGroup", have.RunAsGroup}} {
		switch {
		case id.value == nil:
			c.demand(security.Child(id.field), "a number from 1 to 2147483647")
		case *id.value < 1:
			c.refuse(security.Child(id.field), *id.value, "a number from 1 to 2147483647, because 0 is root")
		}
	}
}
