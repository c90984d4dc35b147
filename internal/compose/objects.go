package compose

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// held is a ConfigMap or Secret that services refer to.
type held struct {
	name, key string
	users     []string
}

// store are the configs, or the secrets, of a project.
type store struct {
	part     string
	objects  map[string]object
	contents map[string]Content
	names    map[string]string
	used     map[string]*held
}

// survey looks at what belongs to more than one service, before the first is converted.
func (c *converter) survey() {
	c.configs = c.newStore("configs", configObjects(c.project), c.stack.Configs)
	c.secrets = c.newStore("secrets", secretObjects(c.project), c.stack.Secrets)
	c.surveyVolumes()
	for _, key := range sorted(c.project.Services) {
		s := c.project.Services[key]
		c.linksOf(key, &s)
		for _, on := range sorted(s.DependsOn) {
			if s.DependsOn[on].Condition == "service_completed_successfully" {
				c.runOnce[on] = true
			}
		}
	}
}

// newStore gives each object a name of its own: the one that was chosen for it, or else its key.
func (c *converter) newStore(part string, objects map[string]object, contents map[string]Content) *store {
	st := &store{part, objects, contents, map[string]string{}, map[string]*held{}}
	wanted := make([]string, 0, len(objects))
	for _, key := range sorted(objects) {
		wanted = append(wanted, c.wanted(key, objects[key]))
	}
	labels := unique(compact(slices.Clone(wanted)))
	for i, key := range sorted(objects) {
		st.names[key] = labels[wanted[i]]
	}

	return st
}

func (c *converter) wanted(key string, o object) string {
	if o.Name != "" && o.Name != c.project.Name+"_"+key {
		return o.Name
	}

	return key
}

// refer to what a service mounts; false when there can be nothing.
func (s *service) refer(m mount) (*v1alpha1.KeySelector, bool) {
	st := s.configs
	if m.secret {
		st = s.secrets
	}
	o, known := st.objects[m.Source]
	if !known || o.Driver != "" || st.contents[m.Source].Unfit {
		st.use(m.Source, s.key, "", "")
		return nil, false
	}
	h := st.use(m.Source, s.key, st.names[m.Source], keyOf(m.Source, o, m.secret))

	return &v1alpha1.KeySelector{Name: v1alpha1.ObjectName(h.name), Key: v1alpha1.DataKey(h.key)}, true
}

func (st *store) use(key, by, name, dataKey string) *held {
	if st.used[key] == nil {
		st.used[key] = &held{name: name, key: dataKey}
	}
	st.used[key].users = append(st.used[key].users, by)

	return st.used[key]
}

// objects makes the ConfigMaps and Secrets that services refer to.
func (c *converter) objects() {
	for _, key := range sorted(c.configs.used) {
		if data, h, ok := c.content(c.configs, key); ok {
			m := &corev1.ConfigMap{ObjectMeta: c.meta(h.name)}
			m.APIVersion, m.Kind = "v1", "ConfigMap"
			if utf8.Valid(data) {
				m.Data = map[string]string{h.key: string(data)}
			} else {
				m.BinaryData = map[string][]byte{h.key: data}
			}
			m.Labels, m.Annotations = c.labelsOf("configs."+key, c.configs.objects[key], m.Labels)
			c.result.ConfigMaps = append(c.result.ConfigMaps, m)
		}
	}
	for _, key := range sorted(c.secrets.used) {
		if data, h, ok := c.content(c.secrets, key); ok {
			m := &corev1.Secret{ObjectMeta: c.meta(h.name), Type: corev1.SecretTypeOpaque}
			m.APIVersion, m.Kind = "v1", "Secret"
			if utf8.Valid(data) {
				m.StringData = map[string]string{h.key: string(data)}
			} else {
				m.Data = map[string][]byte{h.key: data}
			}
			m.Labels, m.Annotations = c.labelsOf("secrets."+key, c.secrets.objects[key], m.Labels)
			c.result.Secrets = append(c.result.Secrets, m)
		}
	}
}

// content of an object; false when none is to be made, which a finding explains.
func (c *converter) content(st *store, key string) ([]byte, *held, bool) {
	o, content, h := st.objects[key], st.contents[key], st.used[key]
	at := st.part + "." + key
	kind, create := "ConfigMap", "kubectl create configmap"
	if st.part == "secrets" {
		kind, create = "Secret", "kubectl create secret generic"
	}
	byHand := fmt.Sprintf("%s %s --from-file=%s=FILE", create, h.name, h.key)

	switch {
	case o.Driver != "": // The table of fields says why not.
	case bool(o.External):
		c.note(at, o.Name, fmt.Sprintf("it is external: %s %q with the key %q must be in the namespace", kind, h.name, h.key), byHand)
	case content.Unfit:
		c.lost(at, "", content.Missing, "build it into the image, or split it")
	case content.Missing != "":
		c.lost(at, "", fmt.Sprintf("%s, so no %s is made, and %s waits for it", content.Missing, kind, strings.Join(compact(h.users), ", ")), byHand)
	default:
		return content.Data, h, true
	}

	return nil, nil, false
}

func compact(words []string) []string {
	slices.Sort(words)

	return slices.Compact(words)
}
