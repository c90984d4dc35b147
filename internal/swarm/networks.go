package swarm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// scopeSwarm tells the engine that a network of the whole swarm is meant, not one of its own that has the same name.
const scopeSwarm = "swarm"

// networkKind is the value of the label io.dogker.kind on networks, which belong to a namespace and not to one object.
const networkKind = "Namespace"

// networkLabels mark the network of a namespace as ours.
func networkLabels(tenant string) map[string]string {
	return swarmobj.Owner{Tenant: tenant, Kind: networkKind, Name: tenant}.Labels()
}

// CreateNetwork creates the network of a namespace, with a subnet of the engine's choice, and returns its ID. It fails
// with ErrExists when the name is taken.
func (e *Engine) CreateNetwork(ctx context.Context, tenant string) (string, error) {
	return e.createNetwork(ctx, tenant, network.CreateOptions{Labels: networkLabels(tenant)})
}

// optionEncrypted is the option of the overlay driver that makes nodes encrypt what they send each other. What its value
// is does not matter.
const optionEncrypted = "encrypted"

// CreateTenantNetwork creates the network of a tenant's namespace as the spec says and returns its ID. It fails with
// ErrExists when the name is taken. Swarm makes it even if the subnet overlaps with that of another network, and then
// never gives it any addresses: LookNetwork shows whether it has.
func (e *Engine) CreateTenantNetwork(ctx context.Context, o swarmobj.Owner, spec swarmobj.NetworkSpec) (string, error) {
	options := network.CreateOptions{Labels: o.Labels(), IPAM: &network.IPAM{
		Config: []network.IPAMConfig{{Subnet: spec.Subnet.String(), Gateway: spec.Subnet.Addr().Next().String()}},
	}}
	if spec.Encrypted {
		options.Options = map[string]string{optionEncrypted: ""}
	}

	return e.createNetwork(ctx, o.Tenant, options)
}

func (e *Engine) createNetwork(ctx context.Context, tenant string, options network.CreateOptions) (string, error) {
	options.Driver, options.Scope = "overlay", scopeSwarm

	name := swarmobj.NetworkName(tenant)
	if err := e.settle(ctx, tenant); err != nil {
		return "", fmt.Errorf("create network %q: %w", name, err)
	}
	defer e.fly(kindNetwork, name)()

	made, err := write(ctx, e, "network_create", func(ctx context.Context) (network.CreateResponse, error) {
		return e.api.NetworkCreate(ctx, name, options)
	})
	if err != nil {
		e.relearn(ctx, doubt{kind: kindNetwork, tenant: tenant, ref: name}, err)

		return "", fmt.Errorf("create network %q: %w", name, err)
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	_, encrypted := options.Options[optionEncrypted]
	if n, changed := e.cache.take(kindNetwork, made.ID, name, options.Labels, time.Now(), overlay{encrypted: encrypted}); changed {
		e.hintTenants(n)
	}

	if options.IPAM != nil {
		// The swarm gives it its addresses a moment later, and no event tells.
		e.soon(kindNetwork, made.ID, ownDelay)
	}

	return made.ID, nil
}

// RemoveNetwork removes the network of a namespace if, asked now, it is ours. It fails with ErrInUse while a service or a
// task refers to it, and it is no error when there is none.
func (e *Engine) RemoveNetwork(ctx context.Context, tenant string) error {
	name := swarmobj.NetworkName(tenant)

	err := e.removeNetwork(ctx, tenant, name)
	if err != nil && !errors.Is(err, swarmobj.ErrNotFound) {
		return fmt.Errorf("remove network %q: %w", name, err)
	}

	return nil
}

func (e *Engine) removeNetwork(ctx context.Context, tenant, name string) error {
	if err := e.settle(ctx, tenant); err != nil {
		return err
	}

	got, err := inspectItem(ctx, e, kindNetwork, func(ctx context.Context) (network.Summary, error) {
		return e.api.NetworkInspect(ctx, name, network.InspectOptions{Scope: scopeSwarm})
	}, e.cache.takeNetwork)
	if errors.Is(err, swarmobj.ErrNotFound) {
		e.forgetNetwork(tenant)
	}
	if err != nil {
		return err
	}
	if owner, ours := swarmobj.OwnerOf(got.Labels); !ours || owner.Tenant != tenant {
		return nil
	}

	if err := e.networkFree(ctx, tenant, got.ID); err != nil {
		return err
	}

	return e.remove(ctx, "network_remove", doubt{kind: kindNetwork, tenant: tenant, ref: got.ID}, func(ctx context.Context) error {
		return e.api.NetworkRemove(ctx, got.ID)
	})
}

// forgetNetwork drops what the cache holds of a namespace's network, which the engine says does not exist.
func (e *Engine) forgetNetwork(tenant string) {
	e.mu.Lock()
	held, _ := e.cache.networkOf(tenant)
	e.mu.Unlock()

	if held != nil {
		e.vanished(kindNetwork, held.ID)
	}
}

// networkFree fails while a task that has not ended uses the network. The engine would let the network go although
// containers are still stopping, and never give their addresses on other networks back. A task on a node that is down is
// not waited for: nothing will be heard of it until the node is back.
func (e *Engine) networkFree(ctx context.Context, tenant, id string) error {
	const longest = 40 // Of a tenant's name in the name of a service, so that a cut name still begins with it.

	prefix := tenant + "_"
	list, err := read(ctx, e, "task_list", listTimeout, func(ctx context.Context) ([]swarm.Task, error) {
		return e.api.TaskList(ctx, swarm.TaskListOptions{
			Filters: filters.NewArgs(filters.Arg("name", prefix[:min(len(prefix), longest)])),
		})
	})
	if err != nil {
		return err
	}

	down := e.downNodes()
	for _, t := range list {
		ended := swarmobj.Task{State: t.Status.State}.Ended()
		if !ended && !down[t.NodeID] && attached(t, id) {
			return fmt.Errorf("%w: a task is still %s", swarmobj.ErrInUse, strings.ToLower(string(t.Status.State)))
		}
	}

	return nil
}

func attached(t swarm.Task, networkID string) bool {
	for _, a := range t.NetworksAttachments {
		if a.Network.ID == networkID {
			return true
		}
	}
	for _, n := range t.Spec.Networks {
		if n.Target == networkID {
			return true
		}
	}

	return false
}

func (e *Engine) downNodes() map[string]bool {
	e.mu.Lock()
	defer e.mu.Unlock()

	down := map[string]bool{}
	for _, n := range e.cache.nodes {
		if n.Status.State == swarm.NodeStateDown {
			down[n.ID] = true
		}
	}

	return down
}
