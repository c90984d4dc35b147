package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	maxConstraints  = 32
	maxSpread       = 8
	mostPerNode     = 10000
	maxDependencies = 16
)

var (
	// place is what a tenant may ask of a node: its labels and platform, and that it is no manager (rule P1).
	place = regexp.MustCompile(`^(node\.(platform\.os|platform\.arch|labels\.[A-Za-z0-9][A-Za-z0-9._-]*))\s*(==|!=)\s*[A-Za-z0-9:._/-]+$`)
	role  = regexp.MustCompile(`^node\.role\s*(==\s*worker|!=\s*manager)$`)
	over  = regexp.MustCompile(`^node\.labels\.[A-Za-z0-9][A-Za-z0-9._/-]*$`)
)

// placement converts which nodes may run the tasks.
func (s *service) placement() {
	if s.Deploy == nil {
		return
	}
	p := s.Deploy.Placement
	for i, constraint := range p.Constraints {
		at, text := index(s.path("deploy.placement.constraints"), i), strings.TrimSpace(constraint)
		switch {
		case !place.MatchString(text) && !role.MatchString(text) || len(text) > 256:
			s.refused(at, constraint, "a tenant asks for labels and platform of a node, and that it is no manager (rule P1)",
				"ask for node.labels.… of the platform, or leave it out")
		case len(s.place().Constraints) == maxConstraints:
			s.lost(at, constraint, fmt.Sprintf("there are at most %d", maxConstraints), "")
		case !slices.Contains(s.place().Constraints, text):
			s.place().Constraints = append(s.place().Constraints, text)
		}
	}
	for i, preference := range p.Preferences {
		at := index(s.path("deploy.placement.preferences"), i)
		switch {
		case !over.MatchString(preference.Spread) || len(preference.Spread) > 256:
			s.refused(at, preference.Spread, "tasks are spread over labels of nodes (rule P1)", "name node.labels.… of the platform")
		case len(s.place().Spread) == maxSpread:
			s.lost(at, preference.Spread, fmt.Sprintf("there are at most %d", maxSpread), "")
		default:
			s.place().Spread = append(s.place().Spread, preference.Spread)
		}
	}
	if n := p.MaxReplicas; n > 0 {
		s.place().MaxReplicasPerNode = new(int32(s.number("deploy.placement.max_replicas_per_node", int64(min(n, 1<<31)), 1, mostPerNode, "it is at most 10000")))
	}
	s.endpoint(s.Deploy.EndpointMode)
	if s.spec.Placement != nil && len(s.spec.Placement.Constraints)+len(s.spec.Placement.Spread)+len(s.spec.Placement.Platforms) == 0 && s.spec.Placement.MaxReplicasPerNode == nil {
		s.spec.Placement = nil
	}
}

// endpoint converts what the name of the service resolves to.
func (s *service) endpoint(mode string) {
	at := s.path("deploy.endpoint_mode")
	switch mode {
	case "":
	case "vip":
		s.spec.EndpointMode = v1alpha1.EndpointVIP
		s.note(at, mode, "virtual IPs need IPVS in the kernels of the nodes", "without it, leave the field out")
	case "dnsrr":
		published := func(p v1alpha1.Port) bool { return p.Publish != nil }
		if slices.ContainsFunc(s.spec.Ports, published) {
			s.lost(at, mode, "what is published in mode ingress has a virtual IP", "publish nothing, or leave the field out")
			return
		}
		s.spec.EndpointMode = v1alpha1.EndpointDNSRR
	default:
		s.lost(at, mode, "it is neither vip nor dnsrr", "")
	}
}

// dependencies converts what must run first.
func (s *service) dependencies() {
	implied := s.implied()
	for _, on := range sorted(s.DependsOn) {
		d, at := s.DependsOn[on], s.path("depends_on."+on)
		other, known := s.project.Services[on]
		switch {
		case !known:
			s.note(at, "", "it is not among the services of these profiles, and not required", "")
			continue
		case !s.convertible(&other):
			s.lost(at, "", "that service is left out", "")
			continue
		case d.Condition == types.ServiceConditionCompletedSuccessfully:
			s.lost(at+".condition", d.Condition, "nothing waits for a container to end", "let the program wait, or run the other one first")
			continue
		case len(s.spec.DependsOn) == maxDependencies:
			s.lost(at, "", fmt.Sprintf("a container waits for at most %d others", maxDependencies), "")
			continue
		}
		if d.Restart && !implied[on] {
			s.lost(at+".restart", "true", "a container is not restarted with another", "let the program connect again")
		}
		if d.Condition == types.ServiceConditionHealthy && other.HealthCheck == nil {
			s.note(at+".condition", d.Condition, "the other service declares no health check; if its image has none either, it counts as healthy when it runs", "")
		}
		s.spec.DependsOn = append(s.spec.DependsOn, v1alpha1.Dependency{Name: v1alpha1.DNSLabel(s.names[on])})
	}
}

// implied are the dependencies that were made when the file was loaded: of links, and of namespaces that are shared.
func (s *service) implied() map[string]bool {
	out := map[string]bool{}
	for _, link := range s.Links {
		target, _, _ := strings.Cut(link, ":")
		out[target] = true
	}
	for _, mode := range []string{s.NetworkMode, s.Ipc, s.Pid, s.Uts, s.Cgroup} {
		if target, ok := strings.CutPrefix(mode, types.ServicePrefix); ok {
			out[target] = true
		}
	}

	return out
}

// convertible is false for services that are left out.
func (c *converter) convertible(s *types.ServiceConfig) bool {
	return s.Provider == nil && anImage(c.imageOf(s)) == ""
}
