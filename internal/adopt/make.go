package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/compose"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Options say what to make.
type Options struct {
	// Namespace of the tenant who gets the services.
	Namespace string
	// Network is the ID of the network on which the containers of the tenant are to reach each other.
	Network string
	// Secrets are the contents of Swarm secrets, by name: the engine never shows them.
	Secrets map[string][]byte
	// Refused are services that somebody else refuses, by name, with the reason.
	Refused map[string]string
	// AcceptLosses adopts services of which something will be gone with their first rollout.
	AcceptLosses bool
}

// Adoption is one service, and what it becomes.
type Adoption struct {
	Service   *swarm.Service
	Container *v1alpha1.TenantContainer
}

// Result is what came of the services.
type Result struct {
	// Adoptions are the services to adopt, by name.
	Adoptions []Adoption
	// ConfigMaps and Secrets that their containers refer to.
	ConfigMaps []*corev1.ConfigMap
	Secrets    []*corev1.Secret
	// LeftAlone are the names of services that stay as they are; findings say why.
	LeftAlone []string
	Findings  []compose.Finding
}

// maker makes one result.
type maker struct {
	live    *Live
	options Options
	result  Result
}

// Make makes containers of services. It is pure: the same services and options give the same result.
//
// What one service loses may depend on who else is there, so they are mapped twice: all of them, to find those that are left
// alone, and then the rest.
func Make(live *Live, options Options) Result {
	m := &maker{live: live, options: options}

	names := map[string]bool{}
	for i := range live.Services {
		s := &live.Services[i]
		names[s.Spec.Name] = true
		m.standing(s)
		m.networks(s)
		m.secrets(s)
	}
	own := m.result.Findings

	first := compose.Convert(m.stackOf(names), compose.Options{Namespace: options.Namespace, PlanAsked: true})
	for i := range live.Services {
		s := &live.Services[i]
		if m.isLeftAlone(s, own) || m.isLeftAlone(s, first.Findings) {
			m.result.LeftAlone = append(m.result.LeftAlone, s.Spec.Name)
			delete(names, s.Spec.Name)
		}
	}

	final := compose.Convert(m.stackOf(names), compose.Options{Namespace: options.Namespace, PlanAsked: true})
	m.result.ConfigMaps, m.result.Secrets = final.ConfigMaps, final.Secrets
	for _, tc := range final.Containers {
		m.adoption(tc)
	}
	m.result.Findings = m.report(own, first.Findings, final.Findings)

	return m.result
}

// adoption pairs a container with the service that it is to have.
func (m *maker) adoption(tc *v1alpha1.TenantContainer) {
	i := slices.IndexFunc(m.live.Services, func(s swarm.Service) bool {
		return s.Spec.Name == swarmobj.ServiceName(m.options.Namespace, tc.Name)
	})
	if i < 0 {
		return // Its name was refused.
	}
	s := &m.live.Services[i]
	if tc.Annotations == nil {
		tc.Annotations = map[string]string{}
	}
	tc.Annotations[v1alpha1.AnnotationAdopt] = s.ID
	m.result.Adoptions = append(m.result.Adoptions, Adoption{Service: s, Container: tc})
}

// standing refuses what cannot be adopted whatever runs.
func (m *maker) standing(s *swarm.Service) {
	at := m.at(s)
	if owner, ours := swarmobj.OwnerOf(s.Spec.Labels); ours {
		m.refuse(at, s.Spec.Name, fmt.Sprintf("it belongs to %s %q of namespace %q", owner.Kind, owner.Name, owner.Tenant), "")
	}
	if want := m.options.Namespace + "_"; !strings.HasPrefix(s.Spec.Name, want) || !isLabel(m.key(s)) ||
		swarmobj.ServiceName(m.options.Namespace, m.key(s)) != s.Spec.Name {
		m.refuse(at, s.Spec.Name, fmt.Sprintf("a service of namespace %q is called %q and a DNS label, and Swarm renames nothing", m.options.Namespace, want),
			"import it into the namespace that its name begins with, or deploy it anew with `dogker convert`")
	}
	if why, refused := m.options.Refused[s.Spec.Name]; refused {
		m.refuse(at, "", why, "")
	}
	if s.Spec.TaskTemplate.ContainerSpec == nil {
		m.refuse(at, string(s.Spec.TaskTemplate.Runtime), "it runs no containers", "")
	}
	if u := s.UpdateStatus; u != nil && (u.State == swarm.UpdateStateUpdating || u.State == swarm.UpdateStateRollbackStarted) {
		m.refuse(at, string(u.State), "Swarm is replacing its tasks", "import it when that is done")
	}
	if s.Spec.RollbackConfig != nil {
		m.find(compose.Note, at+".deploy.rollback_config", "", "the last good revision is put back as changes are rolled out", "")
	}
}

// secrets refuses those that nobody has given.
func (m *maker) secrets(s *swarm.Service) {
	spec := s.Spec.TaskTemplate.ContainerSpec
	if spec == nil {
		return
	}
	for _, ref := range spec.Secrets {
		if _, given := m.secret(ref.SecretName); !given {
			m.refuse(m.at(s)+".secrets", ref.SecretName, "Swarm shows nobody what is in a secret, and the first rollout needs it",
				fmt.Sprintf("give it: --secret %s=FILE", ref.SecretName))
		}
	}
}

func (m *maker) at(s *swarm.Service) string { return "services." + m.key(s) }

func (m *maker) find(kind compose.Kind, at, value, why, instead string) {
	m.result.Findings = append(m.result.Findings, compose.Finding{Kind: kind, Path: at, Value: value, Why: why, Instead: instead})
}

func (m *maker) refuse(at, value, why, instead string) {
	m.find(compose.Refused, at, value, why, instead)
}

// isLeftAlone is true for a service of which something cannot be, or would be gone.
func (m *maker) isLeftAlone(s *swarm.Service, findings []compose.Finding) bool {
	return slices.ContainsFunc(findings, func(f compose.Finding) bool {
		if f.Path != m.at(s) && !strings.HasPrefix(f.Path, m.at(s)+".") {
			return false
		}

		return f.Kind == compose.Refused || f.Kind == compose.Lost && !m.options.AcceptLosses
	})
}

// report puts together what is known of those that are left alone, and of the others. What is said of a whole Compose file
// means nothing here.
func (m *maker) report(own, first, final []compose.Finding) []compose.Finding {
	left := map[string]bool{}
	for _, name := range m.result.LeftAlone {
		left[strings.TrimPrefix(name, m.options.Namespace+"_")] = true
	}
	serviceOf := func(f compose.Finding) (string, bool) {
		rest, ok := strings.CutPrefix(f.Path, "services.")
		name, _, _ := strings.Cut(rest, ".")

		return name, ok
	}

	out := slices.Clone(own)
	for _, f := range first {
		if name, ok := serviceOf(f); ok && left[name] {
			out = append(out, f)
		}
	}
	for _, f := range final {
		if name, ok := serviceOf(f); ok && !left[name] || !ok && f.Kind != compose.Note {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b compose.Finding) int {
		x, _ := serviceOf(a)
		y, _ := serviceOf(b)

		return strings.Compare(x, y)
	})

	return slices.Compact(out)
}

// Losses are the findings that are more than notes.
func (r Result) Losses() int {
	n := 0
	for _, f := range r.Findings {
		if f.Kind != compose.Note {
			n++
		}
	}

	return n
}

// Manifests are the objects in the order to apply them.
func (r Result) Manifests() compose.Result {
	out := compose.Result{ConfigMaps: r.ConfigMaps, Secrets: r.Secrets}
	for _, a := range r.Adoptions {
		out.Containers = append(out.Containers, a.Container)
	}

	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
