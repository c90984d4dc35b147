package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/internal/compose"
)

// What was made of one stack talks over its networks. A tenant has one network, so one of theirs becomes it: who is on it
// stays there through every rollout, and reaches those that have been rolled out and those that have not. A service that is
// not on it would lose everybody with its first rollout, and is left alone.

// Network finds the network that is to be the tenant's: by ID or name, or the one that `docker stack deploy` makes.
func (l *Live) Network(namespace, wanted string) (string, error) {
	if wanted == "" {
		wanted = namespace + "_default"
	}
	for _, id := range sortedKeys(l.Networks) {
		n := l.Networks[id]
		if n.Name != wanted && n.ID != wanted {
			continue
		}
		if n.Scope != "swarm" || n.Driver != "overlay" || n.Ingress {
			return "", fmt.Errorf("network %q is a network %s of scope %s; the network of a tenant is an overlay network of the swarm", n.Name, n.Driver, n.Scope)
		}

		return n.ID, nil
	}

	return "", fmt.Errorf("swarm has no network %q; name the one on which the services reach each other by --network", wanted)
}

// networks says what a service gains and loses.
func (m *maker) networks(s *swarm.Service) {
	at, own := m.at(s)+".networks", m.options.Network
	on := networksOf(s)
	if !slices.Contains(on, own) {
		name := m.nameOf(own)
		m.refuse(at, m.namesOf(on), fmt.Sprintf("it is not on network %q, which is to be the tenant's", name),
			fmt.Sprintf("put it there by `docker service update --network-add %s %s`, which replaces its tasks, and import it then", name, s.Spec.Name))

		return
	}
	for _, id := range on {
		if id == own {
			continue
		}
		away := m.onlyOn(id, own)
		if len(away) == 0 {
			m.find(compose.Note, at, m.nameOf(id), "it leaves this network with its first rollout; all others on it are on the tenant's, too", "")
			continue
		}
		m.find(compose.Lost, at, m.nameOf(id), fmt.Sprintf("it leaves this network with its first rollout, and does not reach %s any more", strings.Join(away, ", ")),
			fmt.Sprintf("put them on network %q first, or publish what is to be reached", m.nameOf(own)))
	}
}

// onlyOn are the services on a network that are not on the other one.
func (m *maker) onlyOn(id, own string) []string {
	var out []string
	for _, list := range [][]swarm.Service{m.live.Services, m.live.Others} {
		for i := range list {
			if on := networksOf(&list[i]); slices.Contains(on, id) && !slices.Contains(on, own) {
				out = append(out, list[i].Spec.Name)
			}
		}
	}
	slices.Sort(out)

	return out
}

// Strangers are services on the network of the tenant that are not its own.
func (l *Live) Strangers(id string) []string {
	var out []string
	for i := range l.Others {
		if slices.Contains(networksOf(&l.Others[i]), id) {
			out = append(out, l.Others[i].Spec.Name)
		}
	}
	slices.Sort(out)

	return out
}

func networksOf(s *swarm.Service) []string {
	var out []string
	for _, n := range s.Spec.TaskTemplate.Networks {
		out = append(out, n.Target)
	}

	return out
}

func (m *maker) nameOf(id string) string {
	if n, ok := m.live.Networks[id]; ok {
		return n.Name
	}

	return id
}

func (m *maker) namesOf(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = m.nameOf(id)
	}

	return strings.Join(names, ", ")
}

func isLabel(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }
