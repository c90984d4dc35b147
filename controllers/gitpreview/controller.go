package gitpreview

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/source"
)

// Name of the control loop, in logs and metrics.
const Name = "gitpreview"

// fieldOwner of the API objects that this controller writes.
const fieldOwner = "dogker-gitpreview"

// Accounts reads with the rights of ServiceAccounts. Errors are those of the API: not found, forbidden. What it returns is
// the caller's.
type Accounts interface {
	// Secret is one of the account's namespace.
	Secret(ctx context.Context, account types.NamespacedName, name string) (*corev1.Secret, error)
	// ConfigMap is one of the account's namespace.
	ConfigMap(ctx context.Context, account types.NamespacedName, name string) (*corev1.ConfigMap, error)
}

// Options of a Controller.
type Options struct {
	// AllowPrivateAddresses lets repositories be at addresses that are not public.
	AllowPrivateAddresses bool
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Roll returns a number in [0, 1) that spreads looks at repositories; random when nil.
	Roll func() float64
	// Recorder of events; none when nil.
	Recorder engine.Recorder
}

// Controller makes previews and takes them away. What it keeps in memory are the references that were listed last; losing
// them costs a look.
type Controller struct {
	cached   client.Client
	live     client.Reader
	accounts Accounts
	listings *listings
	opts     Options
	// making holds up whoever makes a preview while somebody else counts.
	making sync.Mutex
}

// New returns the controller. Reads through cached may be behind; live asks the API server itself.
func New(cached client.Client, live client.Reader, accounts Accounts, lister source.Lister, o Options) *Controller {
	if o.Now == nil {
		o.Now = time.Now
	}

	if o.Roll == nil {
		o.Roll = rand.Float64
	}

	return &Controller{cached: cached, live: live, accounts: accounts, listings: newListings(lister, o.Roll), opts: o}
}

// Reconcile brings the previews of one GitPreview closer to what its repository has. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, g *gitopsv1.GitPreview) (outcome.Result, error) {
	if !g.DeletionTimestamp.IsZero() {
		return c.finalize(ctx, g)
	}

	if g.Spec.Suspend {
		c.listings.forget(client.ObjectKeyFromObject(g))
	}

	p, err := c.survey(ctx, g)
	if err != nil {
		return outcome.Result{}, err
	}

	if p.follows() {
		p.ask(ctx)
	}

	p.decide(ctx)

	if err := p.apply(ctx); err != nil {
		return outcome.Result{}, err
	}

	return p.report()
}

// Run owns the questions to repositories, and blocks until the context ends and all of them have.
func (c *Controller) Run(ctx context.Context) error {
	<-ctx.Done()
	c.listings.stop()

	return nil
}

// Forget drops what is remembered of a GitPreview that is no more.
func (c *Controller) Forget(key types.NamespacedName) { c.listings.forget(key) }
