package swarm

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// item is a network, a secret or a config. Apart from its labels it never changes.
type item struct {
	swarmobj.Content

	owner   swarmobj.Owner
	ours    bool
	learned uint64
	overlay overlay // Of a network.
}

// overlay is what a network is like beyond its name.
type overlay struct {
	subnets   []netip.Prefix // None until the swarm has given it addresses.
	encrypted bool
}

// tenant is what the objects of one namespace look like. The maps are replaced as a whole, because worlds refer to them;
// nil means that they have to be built again.
type tenant struct {
	ids      map[kind]map[string]bool
	contents map[kind]map[string]swarmobj.Content
}

// take takes in a network, a secret or a config. It is true when that is news.
func (c *cache) take(k kind, id, name string, labels map[string]string, created time.Time, o overlay) (news, bool) {
	if c.buried(id) {
		return news{}, false
	}

	owner, ours := swarmobj.OwnerOf(labels)
	it := &item{
		Content: swarmobj.Content{ID: id, Name: name, Labels: labels, Created: created},
		owner:   owner, ours: ours, learned: c.tick(), overlay: o,
	}

	old, known := c.itemsOf(k)[id]
	if known && sameItem(old, it) {
		old.learned = it.learned
		return news{}, false
	}
	if known {
		c.drop(k, id)
	}
	if !ours && k != kindNetwork {
		return news{changed: known, owner: ownerOf(old)}, known
	}

	c.itemsOf(k)[id] = it
	c.attach(k, it)

	n := news{changed: true, owner: owner}
	if known && old.owner != owner {
		n.was = old.owner
	}

	return n, true
}

func ownerOf(it *item) swarmobj.Owner {
	if it == nil {
		return swarmobj.Owner{}
	}

	return it.owner
}

func sameItem(a, b *item) bool {
	return a.Name == b.Name && a.owner == b.owner && a.ours == b.ours && slices.Equal(a.overlay.subnets, b.overlay.subnets) &&
		a.overlay.encrypted == b.overlay.encrypted &&
		hashOf(a.Labels) == hashOf(b.Labels)
}

func (c *cache) itemsOf(k kind) map[string]*item {
	if k == kindNetwork {
		return c.networks
	}

	return c.contents[k]
}

func (c *cache) attach(k kind, it *item) {
	if k == kindNetwork {
		c.netNames[it.Name] = append(c.netNames[it.Name], it.ID)
		return
	}

	t := c.tenants[it.owner.Tenant]
	if t == nil {
		t = &tenant{ids: map[kind]map[string]bool{kindSecret: {}, kindConfig: {}}, contents: map[kind]map[string]swarmobj.Content{}}
		c.tenants[it.owner.Tenant] = t
	}
	t.ids[k][it.ID] = true
	delete(t.contents, k)
}

// drop takes an object out and returns whose it was.
func (c *cache) drop(k kind, id string) (swarmobj.Owner, bool) {
	it, known := c.itemsOf(k)[id]
	if !known {
		return swarmobj.Owner{}, false
	}

	c.tick()
	delete(c.itemsOf(k), id)

	if k == kindNetwork {
		ids := slices.DeleteFunc(slices.Clone(c.netNames[it.Name]), func(other string) bool { return other == id })
		if c.netNames[it.Name] = ids; len(ids) == 0 {
			delete(c.netNames, it.Name)
		}

		return it.owner, true
	}

	if t := c.tenants[it.owner.Tenant]; t != nil {
		delete(t.ids[k], id)
		delete(t.contents, k)
		if len(t.ids[kindSecret]) == 0 && len(t.ids[kindConfig]) == 0 {
			delete(c.tenants, it.owner.Tenant)
		}
	}

	return it.owner, true
}

// networkOf is the network of a namespace, and whether another one that is not ours has its name.
func (c *cache) networkOf(namespace string) (n *swarmobj.Network, squatted bool) {
	for _, id := range c.netNames[swarmobj.NetworkName(namespace)] {
		it := c.networks[id]
		if it.ours && it.owner.Tenant == namespace {
			own := it.network()
			n = &own
			continue
		}
		squatted = true
	}

	return n, squatted
}

// contentsOf are the secrets and configs of a namespace by name.
func (c *cache) contentsOf(namespace string) (secrets, configs map[string]swarmobj.Content) {
	t := c.tenants[namespace]
	if t == nil {
		return nil, nil
	}

	for _, k := range []kind{kindSecret, kindConfig} {
		if t.contents[k] != nil {
			continue
		}

		byName := make(map[string]swarmobj.Content, len(t.ids[k]))
		for id := range t.ids[k] {
			byName[c.contents[k][id].Name] = c.contents[k][id].Content
		}
		t.contents[k] = byName
	}

	return t.contents[kindSecret], t.contents[kindConfig]
}

func (c *cache) takeNetwork(n network.Summary) (news, bool) {
	_, encrypted := n.Options[optionEncrypted]

	return c.take(kindNetwork, n.ID, n.Name, n.Labels, n.Created, overlay{subnets: subnetsOf(n), encrypted: encrypted})
}

func (c *cache) takeSecret(s swarm.Secret) (news, bool) {
	return c.take(kindSecret, s.ID, s.Spec.Name, s.Spec.Labels, s.CreatedAt, overlay{})
}

// takeConfig forgets the data: it can be large, and nobody needs it.
func (c *cache) takeConfig(s swarm.Config) (news, bool) {
	return c.take(kindConfig, s.ID, s.Spec.Name, s.Spec.Labels, s.CreatedAt, overlay{})
}

// takeNodes replaces the nodes when one of them has changed. It returns the IDs of those that have, and of those gone.
func (c *cache) takeNodes(read []swarm.Node) []string {
	slices.SortFunc(read, func(a, b swarm.Node) int { return cmp.Compare(a.ID, b.ID) })

	old := make(map[string]swarm.Node, len(c.nodes))
	for _, n := range c.nodes {
		old[n.ID] = n
	}

	var changed []string
	for i, n := range read {
		was, known := old[n.ID]
		delete(old, n.ID)
		if known && n.Version.Index < was.Version.Index {
			read[i] = was
			continue
		}
		if !known || n.Version.Index != was.Version.Index {
			changed = append(changed, n.ID)
		}
	}
	for id := range old {
		changed = append(changed, id)
	}

	if len(changed) > 0 || c.nodes == nil {
		c.nodes = read
	}

	return changed
}
