package views

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Swarm is the read cache of the swarm. No method blocks, and each may be called at any time.
type Swarm interface {
	// Synced is closed when the whole swarm has been seen once, and State says why it cannot be asked now.
	Synced() <-chan struct{}
	State() error
	// Owners of all services of ours, the services of one with all their tasks, and the nodes.
	Owners() []swarmobj.Owner
	ServicesOf(swarmobj.Owner) []swarmobj.ServiceTasks
	Nodes() []swarm.Node
	// SubscribeTasks and SubscribeNodes make something be called when there may be something new to see. It must not block.
	SubscribeTasks(func(swarmobj.Owner))
	SubscribeNodes(func())
}

// Agents tells how the agents of nodes stand.
type Agents interface {
	// NodeStates of all nodes that are known, by the engine's ID. It answers at once.
	NodeStates() map[string]fleet.NodeState
}

// Options of Views. Swarm must be set.
type Options struct {
	Swarm Swarm
	// Agents of the nodes; nil where nothing is known of any.
	Agents Agents
	// Runtime stops containers of pods that are deleted; nil where pods cannot be deleted.
	Runtime fleet.Runtime
	// Log takes what there is to say; nil for nothing.
	Log *slog.Logger
}

// agentsPeriod is how often the agents are looked at: nobody tells when one of them comes or goes.
const agentsPeriod = 5 * time.Second

// Views are the pods and the nodes of one server.
type Views struct {
	Options

	pods, nodes *kind
	containers  cache.SharedIndexInformer // Of TenantContainers; nil where there are none.

	// What is to be looked at.
	mu         sync.Mutex
	owners     map[swarmobj.Owner]bool
	nodesDirty bool
	wake       chan struct{}

	// What is shown, by whose it is. Only run changes it.
	shown  map[swarmobj.Owner]*owned
	known  map[string]nodeSeen
	filled chan struct{}

	placesMu sync.RWMutex
	places   map[podKey]placed
	nodeIDs  map[string]string
}

// New makes Views, which know nothing before Run. They hear of changes from now on.
func New(o Options) *Views {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}

	now := time.Now()
	v := &Views{
		Options: o, pods: newPods(now), nodes: newNodes(now),
		owners: map[swarmobj.Owner]bool{}, wake: make(chan struct{}, 1),
		shown: map[swarmobj.Owner]*owned{}, known: map[string]nodeSeen{}, filled: make(chan struct{}),
		places: map[podKey]placed{}, nodeIDs: map[string]string{},
	}
	o.Swarm.SubscribeTasks(v.ownerChanged)
	o.Swarm.SubscribeNodes(v.nodesChanged)

	return v
}

// Follow makes pods show what their containers declare. It must be called before Run.
func (v *Views) Follow(containers cache.SharedIndexInformer) error {
	v.containers = containers
	_, err := containers.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { v.declared(nil, o) },
		UpdateFunc: func(was, is any) {
			v.declared(was, is)
		},
	})

	return err
}

// declared looks at the pods of a container whose declaration has changed.
func (v *Views) declared(was, is any) {
	c, ok := is.(*v1alpha1.TenantContainer)
	if !ok {
		return
	}
	if old, ok := was.(*v1alpha1.TenantContainer); ok && old.Generation == c.Generation {
		return
	}

	v.ownerChanged(swarmobj.Owner{Tenant: c.Namespace, Kind: "TenantContainer", Name: c.Name, UID: string(c.UID)})
}

func (v *Views) ownerChanged(o swarmobj.Owner) {
	v.mu.Lock()
	v.owners[o] = true
	v.mu.Unlock()

	v.poke()
}

func (v *Views) nodesChanged() {
	v.mu.Lock()
	v.nodesDirty = true
	v.mu.Unlock()

	v.poke()
}

func (v *Views) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be looked at, and forgets it.
func (v *Views) take() (owners map[swarmobj.Owner]bool, nodes bool) {
	v.mu.Lock()
	defer v.mu.Unlock()

	owners, nodes = v.owners, v.nodesDirty
	v.owners, v.nodesDirty = map[swarmobj.Owner]bool{}, false

	return owners, nodes
}

// Run keeps what is shown as the swarm is, until the context ends. It may be called once.
func (v *Views) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-v.Swarm.Synced():
	}

	v.refreshNodes(ctx)
	for _, o := range v.Swarm.Owners() {
		v.refresh(ctx, o)
	}
	close(v.filled)

	agents := time.NewTicker(agentsPeriod)
	defer agents.Stop()

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-agents.C:
			v.refreshNodes(ctx)
		case <-v.wake:
		}

		owners, nodes := v.take()
		if nodes {
			for _, o := range v.refreshNodes(ctx) {
				owners[o] = true
			}
		}
		for o := range owners {
			v.refresh(ctx, o)
		}
	}
}

// ready says why nothing is known; nil when something is.
func (v *Views) ready() error {
	if err := v.Swarm.State(); err != nil {
		return unavailable(err)
	}
	select {
	case <-v.filled:
		return nil
	default:
		return unavailable(swarmobj.ErrUnavailable)
	}
}

// Storage is what is to be installed in version v1 of the core group.
func (v *Views) Storage() map[string]rest.Storage {
	pods, nodes := newStore(v.pods, v.ready), newStore(v.nodes, v.ready)
	storage := map[string]rest.Storage{
		"pods":         pods,
		"pods/status":  &getter{pods},
		"nodes":        nodes,
		"nodes/status": &getter{nodes},
	}
	if v.Runtime != nil {
		storage["pods"] = &podStore{store: pods, views: v}
	}

	return storage
}
