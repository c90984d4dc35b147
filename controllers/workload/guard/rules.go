package guard

import (
	"fmt"
	"net/netip"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func anything(*check, reflect.Value) string {
	return ""
}

func oneOf(allowed ...string) rule {
	return func(_ *check, v reflect.Value) string {
		if slices.Contains(allowed, v.String()) {
			return ""
		}

		return fmt.Sprintf("is %q, allowed are %s", v.String(), strings.Join(allowed, ", "))
	}
}

func matches(pattern string) rule {
	re := regexp.MustCompile(pattern)

	return func(_ *check, v reflect.Value) string {
		if re.MatchString(v.String()) {
			return ""
		}

		return fmt.Sprintf("is %.80q, which does not match %s", v.String(), pattern)
	}
}

func atMost(bytes int) rule {
	return func(_ *check, v reflect.Value) string {
		if v.Len() <= bytes {
			return ""
		}

		return fmt.Sprintf("has %d bytes, allowed are %d", v.Len(), bytes)
	}
}

// between holds for whole numbers of any type.
func between(least, most int64) rule {
	return func(_ *check, v reflect.Value) string {
		switch {
		case v.CanInt() && least <= v.Int() && v.Int() <= most:
			return ""
		case v.CanUint() && uint64(least) <= v.Uint() && v.Uint() <= uint64(most):
			return ""
		default:
			return fmt.Sprintf("is %v, allowed is %d to %d", v, least, most)
		}
	}
}

func lasts(least, most time.Duration) rule {
	return func(_ *check, v reflect.Value) string {
		if d := time.Duration(v.Int()); d < least || d > most {
			return fmt.Sprintf("is %s, allowed is %s to %s", d, least, most)
		}

		return ""
	}
}

func isRatio(_ *check, v reflect.Value) string {
	// Written so that not-a-number is refused, too.
	if f := v.Float(); f >= 0 && f <= 1 {
		return ""
	}

	return fmt.Sprintf("is %v, allowed is 0 to 1", v)
}

func isServiceName(c *check, v reflect.Value) string {
	want := swarmobj.ServiceName(c.facts.Owner.Tenant, c.facts.Owner.Name)
	if c.facts.Run != "" {
		want = swarmobj.ServiceName(c.facts.Owner.Tenant, "job_"+c.facts.Run)
	}
	if v.String() != want {
		return fmt.Sprintf("is %q, the owner's service is %q", v.String(), want)
	}

	return ""
}

// reference is repository[:tag][@sha256:digest] in a form that names its repository.
var (
	reference = regexp.MustCompile(`^[a-zA-Z0-9\[][a-zA-Z0-9.:/_\[\]-]*(@sha256:[a-f0-9]{64})?$`)
	imageID   = regexp.MustCompile(`^(sha256:)?[a-f0-9]{64}$`)
)

// isImage refuses IDs: by an ID any image runs that a node holds, another tenant's private one, too.
func isImage(c *check, v reflect.Value) string {
	image := v.String()
	switch {
	case imageID.MatchString(image):
		if image != c.facts.ImageID {
			return "is the ID of an image, and not the one that the engine holds for the declared reference"
		}
	case len(image) > 600 || !reference.MatchString(image):
		return fmt.Sprintf("is %.80q, which is no reference to an image", image)
	}

	return ""
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,511}=`)

// isVariable shows no value: it may be a password.
func isVariable(_ *check, v reflect.Value) string {
	if variable.MatchString(v.String()) {
		return ""
	}

	return "is not NAME=value with a name of letters, digits and underscores"
}

func isCleanPath(_ *check, v reflect.Value) string {
	p := v.String()
	switch {
	case !path.IsAbs(p) || path.Clean(p) != p || p == "/" || len(p) > 4096:
		return fmt.Sprintf("is %.80q, which is no clean absolute path of at most 4096 bytes", p)
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == '{' || r == '}' }):
		return fmt.Sprintf("is %.80q, which has control characters or braces", p)
	}
	for _, taken := range []string{"/proc", "/sys", "/dev"} {
		if p == taken || strings.HasPrefix(p, taken+"/") {
			return fmt.Sprintf("is %.80q, which lies under %s", p, taken)
		}
	}

	return ""
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

func isDNSLabel(_ *check, v reflect.Value) string {
	if dnsLabel.MatchString(v.String()) {
		return ""
	}

	return fmt.Sprintf("is %.80q, which is no DNS label", v.String())
}

// isHostsLine takes one address and one name: the engine drops further ones.
func isHostsLine(_ *check, v reflect.Value) string {
	ip, name, _ := strings.Cut(v.String(), " ")
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Zone() != "" {
		return fmt.Sprintf("is %.80q, which does not begin with an address", v.String())
	}
	if len(name) > 253 || !hostName.MatchString(name) {
		return fmt.Sprintf("is %.80q, which does not end with one host name", v.String())
	}

	return ""
}

func isOwnNetwork(c *check, v reflect.Value) string {
	if c.facts.NetworkID == "" || v.String() != c.facts.NetworkID {
		return fmt.Sprintf("is %q, which is not the network of the namespace", v.String())
	}

	return ""
}

// serviceLabels are those that may stand on a service besides the owner's.
var serviceLabels = []string{
	v1alpha1.SwarmLabelGeneration, v1alpha1.SwarmLabelSpecHash, v1alpha1.SwarmLabelRevision, v1alpha1.SwarmLabelTemplateHash,
	v1alpha1.SwarmLabelImage, v1alpha1.SwarmLabelRestartedAt, v1alpha1.SwarmLabelRegistryAuth, v1alpha1.SwarmLabelPlacement,
	v1alpha1.SwarmLabelPrivileges, v1alpha1.SwarmLabelRun,
}

func isServiceLabel(c *check, key, value string) string {
	if len(value) > 4<<10 {
		return fmt.Sprintf("%q is longer than 4096 bytes", key)
	}
	if _, owners := c.facts.Owner.Labels()[key]; owners || slices.Contains(serviceLabels, key) {
		return ""
	}

	return fmt.Sprintf("has the key %.80q, which is not one of ours", key)
}

var (
	labelKey      = regexp.MustCompile(`^[a-zA-Z0-9._/-]{1,128}$`)
	reservedLabel = regexp.MustCompile(`(?i)^(com\.docker\.|io\.docker\.|io\.dogker\.|dogker\.|org\.opencontainers\.)`)
)

func isContainerLabel(_ *check, key, value string) string {
	switch {
	case !labelKey.MatchString(key):
		return fmt.Sprintf("has the key %.80q, which is not 1 to 128 letters, digits, dots, hyphens, underscores and slashes", key)
	case reservedLabel.MatchString(key):
		return fmt.Sprintf("has the key %.80q, which is reserved", key)
	case len(value) > 16<<10:
		return fmt.Sprintf("%.80q is longer than 16384 bytes", key)
	}

	return ""
}

// safeSysctls act on the container's own namespaces only.
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem",
	"net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}

func isSysctl(_ *check, key, value string) string {
	switch {
	case !slices.Contains(safeSysctls, key):
		return fmt.Sprintf("has the key %.80q, which is not on the safe list", key)
	case len(value) > 1<<10:
		return fmt.Sprintf("%q is longer than 1024 bytes", key)
	}

	return ""
}

func isLogOption(c *check, key, value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case c.spec.TaskTemplate.LogDriver.Name == "none":
		return fmt.Sprintf("has the option %.80q, and the driver none takes no options", key)
	case key == "max-size" && err == nil && 16<<10 <= n && n <= 1<<30:
		return ""
	case key == "max-file" && err == nil && 1 <= n && n <= 20:
		return ""
	case key == "compress" && (value == "true" || value == "false"):
		return ""
	default:
		return fmt.Sprintf("has the option %.80q=%.80q, which is not allowed", key, value)
	}
}
