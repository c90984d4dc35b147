// Package authority keeps the authority of agents where all servers of a cluster find it: in a Secret, which is encrypted at
// rest like every other one. The first server that needs it makes it, and the API decides who was the first.
//
// It must not import controllers, and it knows nothing of Swarm: who becomes an agent is package pki's affair.
package authority

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Name of the Secret. To replace the authority, and with it all certificates, delete it.
const Name = "dogker-agents"

// looks is how often the Secret is looked at: how long a server may go by an authority that has been replaced.
const looks = 20 * time.Second

// Keeper keeps one identity by what the Secret holds.
type Keeper struct {
	// Client asks the API server itself: what a cache has not seen yet would be made again, and refused.
	Client client.Client
	// Namespace of the Secret.
	Namespace string
	// Identity that is kept.
	Identity *pki.Identity
	// Log is where it says what it did.
	Log *slog.Logger
}

// Run reads or makes the authority until the context ends.
func (k Keeper) Run(ctx context.Context) error {
	ticks := time.NewTicker(looks)
	defer ticks.Stop()

	for failing := false; ; {
		err := k.Keep(ctx, time.Now())
		if err != nil && !failing && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "Authority of agents cannot be kept", logkey.Err, err)
		}
		failing = err != nil

		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// Keep looks once. It is exported for tests, which have a clock of their own.
func (k Keeper) Keep(ctx context.Context, now time.Time) error {
	a, err := k.ensure(ctx, now)
	if err != nil {
		return err
	}
	if k.Identity.Use(a) {
		k.Log.InfoContext(ctx, "Authority of agents has been read")
	}

	return nil
}

// ensure returns the authority that all servers have. Whoever comes second takes what the first one made.
func (k Keeper) ensure(ctx context.Context, now time.Time) (*pki.Authority, error) {
	var secret corev1.Secret

	err := k.Client.Get(ctx, client.ObjectKey{Namespace: k.Namespace, Name: Name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return k.write(ctx, now, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: Name}}, k.create)
	case err != nil:
		return nil, fmt.Errorf("read authority of agents: %w", err)
	}

	a, err := pki.ParseAuthority(secret.Data)
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w: delete it, and another one is made", k.Namespace+"/"+Name, err)
	}
	if a.Expiring(now) {
		return k.write(ctx, now, &secret, k.update)
	}

	return a, nil
}

func (k Keeper) create(ctx context.Context, s *corev1.Secret) error { return k.Client.Create(ctx, s) }
func (k Keeper) update(ctx context.Context, s *corev1.Secret) error { return k.Client.Update(ctx, s) }

// write puts a new authority into the Secret. Where another server was faster, its authority is read at the next look.
func (k Keeper) write(
	ctx context.Context, now time.Time, secret *corev1.Secret, write func(context.Context, *corev1.Secret) error,
) (*pki.Authority, error) {
	a, err := pki.NewAuthority(now)
	if err != nil {
		return nil, err
	}
	secret.Data = a.Data()

	err = write(ctx, secret)
	switch {
	case apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err):
		var theirs corev1.Secret
		if err := k.Client.Get(ctx, client.ObjectKeyFromObject(secret), &theirs); err != nil {
			return nil, fmt.Errorf("read authority of agents: %w", err)
		}

		return pki.ParseAuthority(theirs.Data)
	case err != nil:
		return nil, fmt.Errorf("store authority of agents: %w", err)
	}
	k.Log.InfoContext(ctx, "Made an authority of agents")

	return a, nil
}
