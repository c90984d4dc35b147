package tenancy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/cache"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
)

const (
	byPort = "port"
	// grace is how long a lease is believed whose container is not there: the request that took it may still be on its
	// way to the store. No request of the API lives longer than a minute.
	grace = 75 * time.Second
	// tries bounds how often one claim is begun anew because somebody else was faster.
	tries = 5
	// releaseTime is how long giving a port back may take. A port that is not given back is taken over later.
	releaseTime = 10 * time.Second
)

// Ports is the record of who has published which port of the nodes. There is one Lease for each, named by the port: it
// is made, taken over and given back with the version that was read, so that it has one holder on all servers.
//
// A lease is stale when its container does not publish the port and can show that it was stored after the lease was
// written: the versions of both come from one store, in order. A request that has a stale lease in hand was made for an
// older version of its container, fails to store it, and claims again.
type Ports struct{ directory *Directory }

func newPorts(d *Directory) *Ports { return &Ports{directory: d} }

// Taken lists the ports of the container that a container of somebody else publishes, as far as is known without
// asking. Two containers in namespaces without tenant may share a port, as they always could.
func (p *Ports) Taken(ctx context.Context, c *v1alpha1.TenantContainer, tenant bool) (field.ErrorList, error) {
	var errs field.ErrorList

	for i, port := range c.Spec.Ports {
		if port.Publish == nil {
			continue
		}
		others, err := p.directory.containers.GetIndexer().ByIndex(byPort, keyOf(port))
		if err != nil {
			return nil, fmt.Errorf("look for port %s: %w", keyOf(port), err)
		}
		for _, o := range others {
			other, ok := o.(*v1alpha1.TenantContainer)
			if !ok || other.Namespace == c.Namespace && other.Name == c.Name {
				continue
			}
			conflict, err := p.conflict(ctx, c, i, other.Namespace, other.Name, tenant)
			if err != nil {
				return nil, err
			}
			if conflict != nil {
				errs = append(errs, conflict)

				break
			}
		}
	}

	return errs, nil
}

// Claim takes the ports of the container for it; before is what is stored of it, nil when it is new. Whoever refuses the
// container afterwards calls undo, which is never nil; a claim that nobody undoes and whose container is never stored is
// given back when somebody else asks for the port.
func (p *Ports) Claim(ctx context.Context, c, before *v1alpha1.TenantContainer, tenant bool) (undo func(), errs field.ErrorList, err error) {
	had := map[string]bool{}
	if before != nil {
		had = published(before)
	}

	var taken []*coordinationv1.Lease
	undo = func() { p.giveBack(taken) }
	for i, port := range c.Spec.Ports {
		if port.Publish == nil {
			continue
		}
		lease, conflict, err := p.claim(ctx, c, i, had[keyOf(port)], tenant)
		if err != nil {
			undo()

			return undo, nil, fmt.Errorf("claim port %s: %w", keyOf(port), err)
		}
		if lease != nil {
			taken = append(taken, lease)
		}
		if conflict != nil {
			errs = append(errs, conflict)
		}
	}

	return undo, errs, nil
}

// claim takes one port. It returns the lease when this call has taken it, from nobody or from somebody who is gone.
func (p *Ports) claim(ctx context.Context, c *v1alpha1.TenantContainer, i int, had, tenant bool) (*coordinationv1.Lease, *field.Error, error) {
	leases := p.directory.kube.CoordinationV1().Leases(bootstrap.Namespace)
	key, us := keyOf(c.Spec.Ports[i]), holder(c)

	var err error
	for range tries {
		var lease *coordinationv1.Lease
		lease, err = leases.Get(ctx, leaseName(key), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			lease, err = leases.Create(ctx, newLease(key, us), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				continue
			}
			if err != nil {
				return nil, nil, err
			}

			return lease, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}

		them := parseHolder(lease)
		if them == us && had {
			return nil, nil, nil
		}
		if them.namespace != us.namespace || them.name != us.name {
			stale, err := p.stale(ctx, lease, them, key)
			if err != nil {
				return nil, nil, err
			}
			if !stale {
				conflict, err := p.conflict(ctx, c, i, them.namespace, them.name, tenant)

				return nil, conflict, err
			}
		}

		hold(lease, us)
		lease, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
		switch {
		case apierrors.IsConflict(err) || apierrors.IsNotFound(err):
			continue
		case err != nil:
			return nil, nil, err
		case them == us: // Another request of the same container may count on it.
			return nil, nil, nil
		default:
			return lease, nil, nil
		}
	}

	return nil, nil, err
}

// giveBack removes leases as they were taken.
func (p *Ports) giveBack(taken []*coordinationv1.Lease) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()

	leases := p.directory.kube.CoordinationV1().Leases(bootstrap.Namespace)
	for _, l := range taken {
		_ = leases.Delete(ctx, l.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &l.ResourceVersion}})
	}
}

// stale is true when the holder of a lease certainly does not publish the port, and has no request under way that does.
func (p *Ports) stale(ctx context.Context, lease *coordinationv1.Lease, them identity, key string) (bool, error) {
	old := lease.Spec.RenewTime == nil || time.Since(lease.Spec.RenewTime.Time) > grace

	u, err := p.directory.client.Resource(ContainersResource).Namespace(them.namespace).Get(ctx, them.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return old, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the container that holds it: %w", err)
	}
	var c v1alpha1.TenantContainer
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &c); err != nil {
		return false, fmt.Errorf("read the container that holds it: %w", err)
	}
	if published(&c)[key] {
		return false, nil
	}

	return old || older(lease.ResourceVersion, c.ResourceVersion), nil
}

// conflict is the refusal for a port that another container has; nil when the two may share it. A stranger is not told
// whose it is.
func (p *Ports) conflict(ctx context.Context, c *v1alpha1.TenantContainer, i int, namespace, name string, tenant bool) (*field.Error, error) {
	if !tenant {
		theirs, err := p.directory.Tenant(ctx, namespace)
		if err != nil {
			return nil, err
		}
		if theirs == "" {
			return nil, nil
		}
	}

	port := c.Spec.Ports[i]
	why := "another tenant has it"
	if namespace == c.Namespace {
		why = fmt.Sprintf("TenantContainer %q has it", name)
	}
	at := field.NewPath("spec", "ports").Index(i).Child("publish", "port")

	return field.Invalid(at, port.Publish.Port, fmt.Sprintf("refused by rule N3: port %s of the nodes is taken, %s; choose another", keyOf(port), why)), nil
}

// releases gives ports back when a container is gone or does not publish them any more.
func (p *Ports) releases() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, now any) {
			b, ok1 := before.(*v1alpha1.TenantContainer)
			n, ok2 := now.(*v1alpha1.TenantContainer)
			if !ok1 || !ok2 || b.Generation == n.Generation && b.UID == n.UID {
				return
			}
			still := published(n)
			for key := range published(b) {
				if !still[key] || b.UID != n.UID {
					p.release(holder(b), key, n.ResourceVersion)
				}
			}
		},
		DeleteFunc: func(object any) {
			if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			c, ok := object.(*v1alpha1.TenantContainer)
			if !ok {
				return
			}
			for key := range published(c) {
				p.release(holder(c), key, "")
			}
		},
	}
}

// release removes a lease if it is still that holder's, and was written before the version of the container that does not
// need it any more. It may fail: a lease that stays is stale, and taken over by the next that asks.
func (p *Ports) release(by identity, key, version string) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()

	leases := p.directory.kube.CoordinationV1().Leases(bootstrap.Namespace)
	lease, err := leases.Get(ctx, leaseName(key), metav1.GetOptions{})
	if err != nil || parseHolder(lease) != by || version != "" && !older(lease.ResourceVersion, version) {
		return
	}
	_ = leases.Delete(ctx, lease.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &lease.ResourceVersion}})
}

// identity is one incarnation of a container.
type identity struct{ namespace, name, uid string }

func holder(c *v1alpha1.TenantContainer) identity {
	return identity{c.Namespace, c.Name, string(c.UID)}
}

func parseHolder(l *coordinationv1.Lease) identity {
	var i identity
	if l.Spec.HolderIdentity != nil {
		parts := strings.SplitN(*l.Spec.HolderIdentity, "/", 3)
		for n, into := range []*string{&i.namespace, &i.name, &i.uid} {
			if n < len(parts) {
				*into = parts[n]
			}
		}
	}

	return i
}

func newLease(key string, by identity) *coordinationv1.Lease {
	l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName(key)}}
	hold(l, by)

	return l
}

func hold(l *coordinationv1.Lease, by identity) {
	now := metav1.NowMicro()
	l.Spec.HolderIdentity = new(by.namespace + "/" + by.name + "/" + by.uid)
	l.Spec.RenewTime = &now
}

func leaseName(key string) string { return "port-" + strings.ReplaceAll(key, "/", "-") }

// keyOf is a port that is published, as the index and the messages have it.
func keyOf(p v1alpha1.Port) string {
	return strconv.Itoa(int(p.Publish.Port)) + "/" + strings.ToLower(cmp.Or(p.Protocol, "TCP"))
}

// published are the keys of all ports that a container publishes.
func published(c *v1alpha1.TenantContainer) map[string]bool {
	keys := map[string]bool{}
	for _, port := range c.Spec.Ports {
		if port.Publish != nil {
			keys[keyOf(port)] = true
		}
	}

	return keys
}

func portsOf(object any) ([]string, error) {
	c, ok := object.(*v1alpha1.TenantContainer)
	if !ok {
		return nil, nil
	}

	return slices.Collect(maps.Keys(published(c))), nil
}

// older compares versions of the one store that everything is in. What is no number proves nothing.
func older(a, b string) bool {
	x, err1 := strconv.ParseUint(a, 10, 64)
	y, err2 := strconv.ParseUint(b, 10, 64)

	return err1 == nil && err2 == nil && x < y
}
