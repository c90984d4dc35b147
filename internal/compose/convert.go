package compose

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// LabelPartOf is on everything that comes of a project, with its name: what is applied can be looked at, and pruned, by it.
const LabelPartOf = "app.kubernetes.io/part-of"

// Options say how to convert.
type Options struct {
	// Namespace of all objects; empty leaves it to whoever applies them.
	Namespace string
	// PlanAsked is true when the server is asked about each container: then images are for the plan of the tenant to judge, which
	// can allow what no profile does by itself.
	PlanAsked bool
}

// Result is what came of a project.
type Result struct {
	// ConfigMaps, Secrets, Volumes and Containers, in the order to apply them.
	ConfigMaps []*corev1.ConfigMap
	Secrets    []*corev1.Secret
	Volumes    []*v1alpha1.Volume
	Containers []*v1alpha1.TenantContainer
	// Findings are what became of fields that did not come through unchanged: by service, in the order of the alphabet.
	Findings []Finding
	// Services that the project has in the chosen profiles, and how many of them were converted.
	Services, Converted int
}

// converter is one conversion under way.
type converter struct {
	stack   *Stack
	project *types.Project
	options Options
	// names are those of the containers, by service.
	names map[string]string
	// aliases that other services ask for, by service.
	aliases map[string][]alias
	// runOnce are the services that others wait for to end.
	runOnce          map[string]bool
	configs, secrets *store
	// volumes that become Volumes, by their keys in the project.
	volumes map[string]*kept
	result  Result
}

// Convert makes manifests of a stack. It is pure: the same stack and options give the same result.
func Convert(stack *Stack, options Options) Result {
	c := &converter{stack: stack, project: stack.Project, options: options, aliases: map[string][]alias{}, runOnce: map[string]bool{}}
	c.result.Services = len(c.project.Services)
	for _, w := range stack.Warnings {
		c.note("compose", "", w, "")
	}
	c.nameContainers()
	c.survey()
	for _, key := range sorted(c.project.Services) {
		service := c.project.Services[key]
		if container := c.container(key, &service); container != nil {
			c.result.Containers = append(c.result.Containers, container)
		}
	}
	c.result.Converted = len(c.result.Containers)
	c.result.Containers = inOrder(c.result.Containers)
	c.networks()
	c.objects()
	c.volumeObjects()
	c.rest()
	c.judge()
	slices.SortStableFunc(c.result.ConfigMaps, func(a, b *corev1.ConfigMap) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(c.result.Secrets, func(a, b *corev1.Secret) int { return strings.Compare(a.Name, b.Name) })

	return c.result
}

// rest walks over what has no rule of its own.
func (c *converter) rest() {
	for _, part := range []struct {
		name  string
		value any
	}{{"configs", c.project.Configs}, {"jobs", c.project.Jobs}, {"models", c.project.Models}, {"networks", c.project.Networks}, {"secrets", c.project.Secrets}, {"volumes", c.project.Volumes}} {
		c.walk(reflect.ValueOf(part.value), part.name, part.name, nil)
	}
	if names := sorted(c.project.Extensions); len(names) > 0 {
		c.note(strings.Join(names, ", "), "", "extensions of the whole file belong to no object, and are left out; what refers to them as YAML anchors has been converted", "")
	}
	if names := c.project.DisabledServiceNames(); len(names) > 0 {
		c.note("services", strings.Join(names, ", "), "they belong to profiles that are not on, and are left out", "turn profiles on by --profile")
	}
	if len(c.result.Secrets) > 0 {
		c.note("secrets", "", "the output holds the contents of secrets", "do not commit it as it is")
	}
	if with := c.withoutLimits(); len(with) > 0 {
		c.note("services", strings.Join(with, ", "), "they declare no limits of CPU or memory, so that those of the plan's containerDefaults hold",
			"declare deploy.resources.limits: they are what is billed")
	}
}

// withoutLimits are the services that leave a limit to the plan.
func (c *converter) withoutLimits() []string {
	var names []string
	for _, tc := range c.result.Containers {
		if r := tc.Spec.Resources; r == nil || r.Limits == nil || r.Limits.CPU == nil || r.Limits.Memory == nil {
			names = append(names, tc.Name)
		}
	}
	slices.Sort(names)

	return names
}

// meta is what all objects have in common.
func (c *converter) meta(name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{Name: name, Namespace: c.options.Namespace}
	if part := labelValue(c.project.Name); part != "" {
		meta.Labels = map[string]string{LabelPartOf: part}
	}

	return meta
}

func (c *converter) find(kind Kind, path, value, why, instead string) {
	c.result.Findings = append(c.result.Findings, Finding{kind, path, value, why, instead})
}

func (c *converter) lost(path, value, why, instead string) { c.find(Lost, path, value, why, instead) }
func (c *converter) refused(path, value, why, instead string) {
	c.find(Refused, path, value, why, instead)
}
func (c *converter) changed(path, value, why, instead string) {
	c.find(Changed, path, value, why, instead)
}
func (c *converter) note(path, value, why, instead string) { c.find(Note, path, value, why, instead) }

// inOrder puts containers behind those that they depend on, and otherwise by name. Compose refuses cycles.
func inOrder(containers []*v1alpha1.TenantContainer) []*v1alpha1.TenantContainer {
	byName := map[string]*v1alpha1.TenantContainer{}
	for _, tc := range containers {
		byName[tc.Name] = tc
	}
	out, placed := make([]*v1alpha1.TenantContainer, 0, len(containers)), map[string]bool{}
	var place func(name string)
	place = func(name string) {
		tc := byName[name]
		if tc == nil || placed[name] {
			return
		}
		placed[name] = true
		for _, d := range tc.Spec.DependsOn {
			place(string(d.Name))
		}
		out = append(out, tc)
	}
	for _, name := range sorted(byName) {
		place(name)
	}

	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
