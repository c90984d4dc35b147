package gitpreview

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

// askTime is how long a question may take.
const askTime = time.Minute

// reasonSecret is that of a question whose Secret cannot be used.
const reasonSecret = source.Reason(gitopsv1.ReasonSecretNotFound)

// ask reads what is known of the repository, and has it asked when it is time. It does not wait for the answer.
func (p *pass) ask(ctx context.Context) {
	q := question{p.preview.UID, p.preview.Generation, p.preview.Annotations[gitopsv1.AnnotationRequestedAt]}
	p.listing = p.listings.of(p.key, q)

	if p.listing.running || !gitsync.Due(p.now, p.due(), q.requested, p.handled()) {
		return
	}

	auth, err := p.auth(ctx)
	if err != nil {
		p.listings.fail(p.key, q, err, p.now)
	} else {
		p.listings.start(p.key, q, source.RefsRequest{
			Tenant: p.preview.Namespace, URL: p.preview.Spec.URL, Auth: auth, Patterns: p.selector.Patterns(),
			Limits: source.Limits{Time: askTime}, AllowPrivateAddresses: p.opts.AllowPrivateAddresses,
		}, p.opts.Now)
	}

	p.listing = p.listings.of(p.key, q)
}

// handled is the request that was obeyed last.
func (p *pass) handled() string {
	if p.listing.asked {
		return p.listing.requested
	}

	return p.preview.Status.LastHandledReconcileAt
}

// due is when the repository is asked again. It does not move from pass to pass.
func (p *pass) due() time.Time {
	l := p.listing
	if !l.asked {
		return time.Time{}
	}

	s := gitsync.Schedule{Interval: p.preview.Spec.Interval.Duration}
	if l.failures > 0 {
		return l.ended.Add(s.Retry(l.failures, l.roll))
	}

	return l.ended.Add(s.Next(l.roll))
}

// auth is what the Git server is shown. Errors are the owner's to mend.
func (p *pass) auth(ctx context.Context) (source.Auth, *source.Error) {
	ref := p.preview.Spec.SecretRef
	if ref == nil {
		return source.Auth{}, nil
	}

	s, err := p.accounts.Secret(ctx, p.account(), string(ref.Name))
	if err != nil {
		return source.Auth{}, &source.Error{Reason: reasonSecret, Message: p.unreadable(err, "spec.secretRef.name", "Secret", string(ref.Name)), Transient: true}
	}

	a, err := gitsync.Auth(p.preview.Spec.URL, s.Data)
	if err != nil {
		return source.Auth{}, &source.Error{Reason: reasonSecret, Message: fmt.Sprintf("spec.secretRef.name: Secret %q: %v", ref.Name, err), Transient: true}
	}

	return a, nil
}

// account is whose rights everything is read with.
func (p *pass) account() types.NamespacedName {
	name := string(p.preview.Spec.ServiceAccountName)
	if name == "" {
		name = gitopsv1.AccountName
	}

	return types.NamespacedName{Namespace: p.preview.Namespace, Name: name}
}

// unreadable says why an object could not be read.
func (p *pass) unreadable(err error, field, kind, name string) string {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Sprintf("%s: %s %q does not exist", field, kind, name)
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fmt.Sprintf("%s: %s %q may not be read by the ServiceAccount %q", field, kind, name, p.account().Name)
	default:
		return fmt.Sprintf("%s: %s %q could not be read", field, kind, name)
	}
}
