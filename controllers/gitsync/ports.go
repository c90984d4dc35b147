package gitsync

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/reconciler/delivery"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/inventory"
)

// Accounts reads with the rights of ServiceAccounts. Errors are those of the API: not found, forbidden.
type Accounts interface {
	// Secret is the data of a Secret of the account's namespace.
	Secret(ctx context.Context, account types.NamespacedName, name string) (map[string][]byte, error)
	// ConfigMap is the data of a ConfigMap of the account's namespace.
	ConfigMap(ctx context.Context, account types.NamespacedName, name string) (map[string]string, error)
}

// Applier makes namespaces what builds say, as ServiceAccounts.
type Applier interface {
	// Plan looks at everything and writes nothing. An error of type delivery.Errors names what the API refuses.
	Plan(ctx context.Context, r delivery.Request) (Plan, error)
	// Forget drops what is remembered of a sync that is no more. It does not block.
	Forget(sync types.NamespacedName)
}

// Plan is what it takes to make a namespace what a build says. It is good for a moment: what changes until it is carried out
// is looked at again. Errors of type delivery.Errors are about objects; with them and with any other, what was done until
// then is returned.
type Plan interface {
	// Record is what must be on record before Apply.
	Record() []inventory.Entry
	// Changes are what Apply and Prune would do.
	Changes() delivery.Changes
	// Guard says why nothing is pruned although something is gone; empty when there is no such reason.
	Guard() string
	// Apply creates and changes. It blocks until that is done.
	Apply(ctx context.Context) (delivery.Changes, error)
	// Health looks once at what keeps objects from being Ready. final is true when waiting does not help.
	Health(ctx context.Context) (unhealthy delivery.Errors, final bool, err error)
	// Prune deletes, and returns what is on record from then on.
	Prune(ctx context.Context) (delivery.Changes, []inventory.Entry, error)
}

// CommitStatuses tells Git servers what became of commits.
type CommitStatuses interface {
	// Tell delivers a state when it can. It does not block, and of several for one sync the last one counts. What was
	// delivered last is not delivered again.
	Tell(sync types.NamespacedName, s lifecycle.CommitState)
}
