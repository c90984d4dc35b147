package compose

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The limits of our API on what people write.
const (
	maxLabel = 63
	maxName  = 253
	maxText  = 32768
	maxCheck = 4096
	maxShort = 255
	maxPath  = 1024
)

var (
	variable    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	dnsLabel    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	cleanPath   = regexp.MustCompile(`^(/[^/{}\x00-\x1f]+)+$`)
	notLabel    = regexp.MustCompile(`[^a-z0-9]+`)
	imageID     = regexp.MustCompile(`^(sha256:)?[a-f0-9]{64}$`)
	notPlatform = regexp.MustCompile(`^$|[^a-z0-9]`)
	notKey      = regexp.MustCompile(`[^-._a-zA-Z0-9]+`)
)

func isLabel(s string) bool { return len(s) <= maxLabel && dnsLabel.MatchString(s) }

// toLabel makes a DNS label of a name.
func toLabel(name string) string {
	label := strings.Trim(notLabel.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(label) > maxLabel {
		label = strings.TrimRight(label[:maxLabel], "-")
	}
	if label == "" {
		label = "x"
	}

	return label
}

// toKey makes a key of a ConfigMap or Secret of a name.
func toKey(name string) string {
	key := notKey.ReplaceAllString(name, "-")
	if len(key) > maxName {
		key = key[:maxName]
	}
	if key == "" || key == "." || strings.HasPrefix(key, "..") {
		return "content"
	}

	return key
}

// unique gives each key a label of its own. Keys that are labels already get theirs first, whatever the others are.
func unique(keys []string) map[string]string {
	names, taken := map[string]string{}, map[string]bool{}
	for _, key := range keys {
		if isLabel(key) {
			names[key], taken[key] = key, true
		}
	}
	for _, key := range keys {
		if names[key] != "" {
			continue
		}
		base := toLabel(key)
		name := base
		for i := 2; taken[name]; i++ {
			suffix := fmt.Sprintf("-%d", i)
			name = strings.TrimRight(base[:min(len(base), maxLabel-len(suffix))], "-") + suffix
		}
		names[key], taken[name] = name, true
	}

	return names
}

// nameContainers gives each service the name of its container, which is how others reach it.
func (c *converter) nameContainers() {
	keys := sorted(c.project.Services)
	c.names = unique(keys)
	for _, key := range keys {
		if name := c.names[key]; name != key {
			instead := "let the others reach it by that name"
			if by := c.named(key); len(by) > 0 {
				instead = "look at " + strings.Join(by, ", ")
			}
			c.changed("services."+key, "", fmt.Sprintf("it is called %q, because containers are reached by DNS labels", name), instead)
		}
	}
}

// named are the variables that seem to name a service. They are not changed: the word may mean something else in them.
func (c *converter) named(key string) []string {
	word := regexp.MustCompile(`(^|[^A-Za-z0-9_.-])` + regexp.QuoteMeta(key) + `($|[^A-Za-z0-9_-])`)
	var out []string
	for _, other := range sorted(c.project.Services) {
		env := c.project.Services[other].Environment
		for _, name := range sorted(env) {
			if v := env[name]; v != nil && word.MatchString(*v) {
				out = append(out, "services."+other+".environment."+name)
			}
		}
	}

	return out
}

// aPath says what is wrong with a path in a container; empty when nothing is.
func aPath(p string) string {
	reserved := slices.ContainsFunc([]string{"/proc", "/sys", "/dev"}, func(dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") })
	switch {
	case !path.IsAbs(p), path.Clean(p) != p:
		return "it is no clean absolute path"
	case p == "/":
		return "it is the root of the container"
	case reserved:
		return "nothing may lie under /proc, /sys or /dev"
	case len(p) > maxPath, !cleanPath.MatchString(p):
		return "a path has at most 1024 characters, and no braces or control characters"
	}

	return ""
}

// aText says what is wrong with a string that reaches the engine; empty when nothing is.
func aText(s string, limit int) string {
	switch {
	case strings.Contains(s, "{{") || strings.Contains(s, "}}"):
		return "templates of the engine ({{…}}) are refused in all strings"
	case strings.ContainsRune(s, 0):
		return "it has a zero byte"
	case len([]rune(s)) > limit:
		return fmt.Sprintf("it has more than %d characters", limit)
	}

	return ""
}

// labelValue makes the value of a Kubernetes label of a name.
func labelValue(name string) string {
	if len(name) > maxLabel {
		name = name[:maxLabel]
	}

	return strings.Trim(name, "-_.")
}
