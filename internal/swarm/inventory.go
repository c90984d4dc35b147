package swarm

import (
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// inventory lists everything of ours, and what secrets and configs are referred to.
func (c *cache) inventory() swarmobj.Inventory {
	inv := swarmobj.Inventory{Referenced: map[string]bool{}}

	for id, s := range c.services {
		if s.owner == (swarmobj.Owner{}) {
			continue
		}

		inv.Services = append(inv.Services, swarmobj.Item{
			ID: id, Name: s.shown.Spec.Name, Owner: s.owner, Created: s.shown.CreatedAt,
		})
		reference(inv.Referenced, &s.shown.Spec)
		reference(inv.Referenced, s.shown.PreviousSpec)
	}

	inv.Networks = itemsIn(c.networks)
	inv.Secrets = itemsIn(c.contents[kindSecret])
	inv.Configs = itemsIn(c.contents[kindConfig])

	return inv
}

func itemsIn(items map[string]*item) []swarmobj.Item {
	var out []swarmobj.Item

	for _, it := range items {
		if it.ours {
			out = append(out, swarmobj.Item{ID: it.ID, Name: it.Name, Owner: it.owner, Created: it.Created})
		}
	}

	return out
}

func reference(names map[string]bool, spec *swarm.ServiceSpec) {
	if spec == nil || spec.TaskTemplate.ContainerSpec == nil {
		return
	}

	for _, s := range spec.TaskTemplate.ContainerSpec.Secrets {
		names[s.SecretName] = true
	}
	for _, c := range spec.TaskTemplate.ContainerSpec.Configs {
		names[c.ConfigName] = true
	}
}
