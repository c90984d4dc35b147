package quota

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// settle is how long a request may take from when it was charged until what it asks for is stored.
const settle = time.Second

// errUnsettled asks for another count.
var errUnsettled = errors.New("what was charged a moment ago may not be stored yet; it is counted again")

// Patient makes a client through which a quota is lowered only by a count that has everything in it that was charged.
//
// A request is charged before what it asks for is stored. A count in between misses it, and would give its place away a
// second time: the version of the quota that was read has the charge in it, so nothing else would refuse the write. So
// before a quota is lowered its version must have stood for as long as a request may take, and what there is must have been
// listed after that. What was counted earlier is refused as a conflict, which makes the controller count again.
func Patient(quotas corev1client.ResourceQuotasGetter) corev1client.ResourceQuotasGetter {
	return &patient{ResourceQuotasGetter: quotas, stood: map[types.NamespacedName]string{}}
}

type patient struct {
	corev1client.ResourceQuotasGetter

	mu sync.Mutex
	// stood are versions that have stood long enough, so that what is listed from now on may lower them.
	stood map[types.NamespacedName]string
}

// ResourceQuotas are those of a namespace.
func (p *patient) ResourceQuotas(namespace string) corev1client.ResourceQuotaInterface {
	return patientQuotas{p.ResourceQuotasGetter.ResourceQuotas(namespace), p}
}

type patientQuotas struct {
	corev1client.ResourceQuotaInterface
	*patient
}

// UpdateStatus stores what was counted.
func (q patientQuotas) UpdateStatus(ctx context.Context, counted *corev1.ResourceQuota, o metav1.UpdateOptions) (*corev1.ResourceQuota, error) {
	key := types.NamespacedName{Namespace: counted.Namespace, Name: counted.Name}
	stood := q.take(key) == counted.ResourceVersion
	stored, err := q.Get(ctx, counted.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if stood || !lowers(stored.Status.Used, counted.Status.Used) {
		return q.ResourceQuotaInterface.UpdateStatus(ctx, counted, o)
	}

	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(settle):
	}
	q.put(key, stored.ResourceVersion)

	return nil, apierrors.NewConflict(corev1.Resource("resourcequotas"), counted.Name, errUnsettled)
}

// take returns the version that has stood, and forgets it.
func (p *patient) take(key types.NamespacedName) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	version := p.stood[key]
	delete(p.stood, key)

	return version
}

func (p *patient) put(key types.NamespacedName, version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stood[key] = version
}

// lowers is true when something is less than before.
func lowers(before, now corev1.ResourceList) bool {
	for name, was := range before {
		if is, ok := now[name]; ok && is.Cmp(was) < 0 {
			return true
		}
	}

	return false
}
