package compose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	maxLabels     = 64
	maxLabelBytes = 4096
	// extensionPrefix begins the names of annotations that were extensions.
	extensionPrefix = "compose.dogker.io/"
	maxExtension    = 64 << 10
)

var containerLabel = regexp.MustCompile(`^[a-zA-Z0-9._/-]+$`)

// tools are those that obey labels, by how these begin, with what there is instead.
var tools = []struct{ prefix, why, instead string }{
	{"traefik.", "a router obeys whoever can write its labels (rule B1), and there is no Route kind yet", "publish a port, and route to it"},
	{"caddy", "a router obeys whoever can write its labels (rule B1), and there is no Route kind yet", "publish a port, and route to it"},
	{"prometheus.", "what is scraped is not for labels to say (rule B1)", ""},
	{"swarm.cronjob.", "schedules are not converted", "write a TenantJob with that schedule"},
	{"ofelia.", "schedules are not converted", "write a TenantJob with that schedule"},
	{"gantry.", "an image is rolled out when the template changes, and by nobody else", "change the tag"},
	{"shepherd.", "an image is rolled out when the template changes, and by nobody else", "change the tag"},
	{"com.centurylinklabs.", "an image is rolled out when the template changes, and by nobody else", "change the tag"},
	{"com.github.containrrr.", "an image is rolled out when the template changes, and by nobody else", "change the tag"},
	{"com.docker.", "it is reserved for the engine", ""},
	{"io.docker.", "it is reserved for the engine", ""},
	{"org.opencontainers.", "it is reserved for images", ""},
	{"io.dogker.", "it is reserved for Dogker", ""},
	{"dogker.", "it is reserved for Dogker", ""},
}

// obeyed says whom a label is for; false when it is for nobody in particular.
func obeyed(name string) (why, instead string, ok bool) {
	lower := strings.ToLower(name)
	for _, t := range tools {
		if strings.HasPrefix(lower, t.prefix) {
			return t.why, t.instead, true
		}
	}

	return "", "", false
}

// labels converts both kinds: those of the containers go into the spec, those of the service onto the object.
func (s *service) labels() {
	for _, name := range sorted(s.Labels) {
		value, at := s.Labels[name], s.path("labels."+name)
		why, instead, taken := obeyed(name)
		text := aText(value, maxLabelBytes)
		switch {
		case taken:
			s.lost(at, value, why, instead)
		case len(name) > maxLabel || !containerLabel.MatchString(name):
			s.lost(at, value, "keys of labels are 1 to 63 letters, digits, dots, hyphens, underscores and slashes", "")
		case text != "":
			s.lost(at, "", text, "")
		case len(s.spec.Labels) == maxLabels:
			s.lost(at, value, fmt.Sprintf("a container has at most %d labels", maxLabels), "")
		default:
			if s.spec.Labels == nil {
				s.spec.Labels = map[string]v1alpha1.LabelText{}
			}
			s.spec.Labels[name] = v1alpha1.LabelText(value)
		}
	}
	if s.Deploy != nil {
		for _, name := range sorted(s.Deploy.Labels) {
			s.tag(s.path("deploy.labels."+name), name, s.Deploy.Labels[name], s.tags, s.meta)
		}
	}
}

// tag puts a label onto an object: as one of Kubernetes' where its value can be, or else as an annotation.
func (c *converter) tag(at, name, value string, tags, meta map[string]string) {
	prefix, _, _ := strings.Cut(strings.ToLower(name), "/")
	reserved := strings.HasSuffix(prefix, "kubernetes.io") || strings.HasSuffix(prefix, "k8s.io") || strings.HasSuffix(prefix, "dogker.io")
	why, instead, taken := obeyed(name)
	switch {
	case taken:
		c.lost(at, value, why, instead)
	case reserved && strings.Contains(name, "/"), len(validation.IsQualifiedName(name)) > 0:
		c.lost(at, value, "it is no name of a label that is free to choose", "")
	case len(validation.IsValidLabelValue(value)) == 0:
		tags[name] = value
	default:
		meta[name] = value
	}
}

// labelsOf a config or secret, and what its extensions have become.
func (c *converter) labelsOf(at string, o object, labels map[string]string) (map[string]string, map[string]string) {
	meta, tags := map[string]string{}, map[string]string{}
	for _, name := range sorted(o.Labels) {
		c.tag(at+".labels."+name, name, o.Labels[name], tags, meta)
	}
	for _, name := range sorted(o.Extensions) {
		c.annotate(at, name, o.Extensions[name], meta)
	}
	for name, value := range tags {
		if labels == nil {
			labels = map[string]string{}
		}
		labels[name] = value
	}
	if len(meta) == 0 {
		meta = nil
	}

	return labels, meta
}

// extension keeps what is marked as nobody's business as an annotation.
func (s *service) extension(path, name string, value any) { s.annotate(path, name, value, s.meta) }

var notAnnotation = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func (c *converter) annotate(path, name string, value any, meta map[string]string) {
	parts := strings.SplitN(path, ".", 3)
	field := name
	if len(parts) == 3 {
		field = parts[2] + "." + name
	}
	key := extensionPrefix + strings.Trim(notAnnotation.ReplaceAllString(field, "."), ".")
	text, ok := value.(string)
	if !ok {
		raw, err := json.Marshal(value)
		if err != nil {
			c.lost(path+"."+name, "", "it cannot be written as JSON", "")
			return
		}
		text = string(raw)
	}
	if len(validation.IsQualifiedName(key)) > 0 || len(text) > maxExtension || slices.Contains(sorted(meta), key) {
		c.lost(path+"."+name, "", "it makes no annotation: names have at most 63 characters, and values 64 KiB", "")
		return
	}
	meta[key] = text
}
